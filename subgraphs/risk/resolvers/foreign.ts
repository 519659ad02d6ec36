/** What risk adds to the things of other domains; each is batched, so that a page of them costs one statement. */
import { alertList, isOpenAlert } from '../alerts/alerts.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { limitsOfInstrument } from '../limits/limits.ts';
import { latestMetric } from '../measures/metrics.ts';
import { accountReference, exchangeReference } from '../references.ts';
import { UTILISATION_LIMIT, type UtilisationState, utilisations } from '../reports/utilisations.ts';
import { atMost } from './Query.ts';

/** Utilisations of several strategies or instruments, measured once. */
function utilisationsBy(
  context: Context,
  part: 'strategyId' | 'instrumentId',
  key: string,
): Promise<UtilisationState[]> {
  return context.batch(`utilisation:${part}`, key, async (keys) => {
    const states = Map.groupBy(await utilisations(context, {}), (state) => state[part]);
    return keys.map((one) => (states.get(one) ?? []).slice(0, UTILISATION_LIMIT));
  });
}

export const foreignResolvers: Resolvers = {
  Portfolio: {
    __resolveReference: ({ accountId }) => ({ accountId }),
    risk: ({ accountId }, _, context) => context.service.portfolios.report(accountReference(accountId)),
    limits: async ({ accountId }, _, context) =>
      (await utilisations(context, { accountId: exchangeReference(accountId) })).slice(0, UTILISATION_LIMIT),
    openAlerts: ({ accountId }, page, context) =>
      context.connectChildren(alertList, 'account_id', exchangeReference(accountId), atMost(page), [isOpenAlert]),
  },
  TradingPosition: {
    __resolveReference: (reference) => reference,
    riskMetric: ({ account, instrument }, _, context) =>
      account && instrument ? latestMetric(context, exchangeReference(account.accountId), instrument.symbol) : null,
  },
  Instrument: {
    __resolveReference: ({ symbol }) => ({ symbol }),
    limits: ({ symbol }, _, context) => context.list(limitsOfInstrument, symbol),
    limitUtilisation: ({ symbol }, _, context) => utilisationsBy(context, 'instrumentId', symbol),
  },
  Strategy: {
    __resolveReference: ({ strategyId }) => ({ strategyId }),
    limitUtilisation: ({ strategyId }, _, context) => utilisationsBy(context, 'strategyId', strategyId),
  },
};
