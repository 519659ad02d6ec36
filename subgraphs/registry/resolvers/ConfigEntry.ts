import { shown } from '../../../platform/enums.ts';
import type { ConfigEntryResolvers } from '../generated/resolvers.ts';
import { EVERY_SERVICE } from '../rules/names.ts';

export const ConfigEntry: ConfigEntryResolvers = {
  service: ({ scope }) => (scope === EVERY_SERVICE ? null : scope),
  type: ({ valueType }) => shown(valueType),
};
