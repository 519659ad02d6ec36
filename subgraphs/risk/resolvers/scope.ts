/** What a row is about, as references to the things that other domains own. */
import { exchangeAccountId } from '../references.ts';
import type { LimitScope } from '../rules/limit-terms.ts';

export function accountOf({ accountId }: { accountId: string | null }) {
  const id = exchangeAccountId(accountId);
  return id === null ? null : { accountId: id };
}

export const scoped = {
  account: accountOf,
  strategy: ({ strategyId }: LimitScope) => (strategyId === null ? null : { strategyId }),
  instrument: ({ instrumentId }: LimitScope) => (instrumentId === null ? null : { symbol: instrumentId }),
};
