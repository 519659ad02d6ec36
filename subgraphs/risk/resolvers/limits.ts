/** Limits, their versions and changes, and how far they are used. */

import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { changesOfLimit, limits } from '../limits/limits.ts';
import { utilisations } from '../reports/utilisations.ts';
import { scoped } from './scope.ts';

/** Utilisations that one limit shows. */
const SHOWN = 100;

export const limitResolvers: Resolvers = {
  RiskLimit: {
    __resolveReference: ({ limitId }, context) => context.load(limits, limitId),
    ...scoped,
    type: ({ limitType }) => shown(limitType),
    direction: ({ direction }) => shown(direction),
    threshold: ({ thresholdValue }) => thresholdValue,
    warning: ({ warningValue }) => warningValue,
    isGlobal: ({ globalLimit }) => globalLimit,
    isEnabled: ({ enabled }) => enabled,
    utilisation: async ({ limitId }, _, context) => {
      const all = await context.batch('utilisationOfLimit', limitId, async (ids) => {
        const states = Map.groupBy(await utilisations(context, {}), (state) => state.limitId);
        return ids.map((id) => states.get(id) ?? []);
      });
      return all.slice(0, SHOWN);
    },
    pendingChange: async ({ limitId }, _, context) => {
      const changes = await context.list(changesOfLimit, limitId);
      return changes.find(({ status }) => status === 'pending') ?? null;
    },
  },
  LimitVersion: {
    version: ({ limitVersion }) => limitVersion,
    threshold: ({ thresholdValue }) => thresholdValue,
    warning: ({ warningValue }) => warningValue,
    isEnabled: ({ enabled }) => enabled,
  },
  LimitChange: {
    limit: ({ limitId }, _, context) => existing(context.load(limits, limitId), 'RiskLimit', limitId),
    threshold: ({ thresholdValue }) => thresholdValue,
    warning: ({ warningValue }) => warningValue,
    isEnabled: ({ enabled }) => enabled,
    status: ({ status }) => shown(status),
  },
  LimitUtilisation: {
    ...scoped,
    limit: ({ limitId, row }, _, context) => row ?? existing(context.load(limits, limitId), 'RiskLimit', limitId),
    current: ({ currentValue }) => currentValue,
    threshold: ({ thresholdValue }) => thresholdValue,
    band: ({ band }) => shown(band),
    asOf: ({ measuredAt }) => measuredAt,
  },
};
