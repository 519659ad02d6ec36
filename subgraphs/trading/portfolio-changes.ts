import type { Changes } from '../../platform/context.ts';
import { badInput } from '../../platform/errors.ts';
import type { Context } from './context.ts';
import { type PortfolioReference, portfolioOf } from './portfolio.ts';

/** A portfolio is told at most so often; prices move faster than anybody reads. */
const MIN_INTERVAL_MS = 100;

/**
 * The portfolio whenever a position or strategy of its account changes, or a price at which it is valued.
 * @throws GraphQLError (bad input) when the account's id is no UUID
 */
export function portfolioChanges(
  context: Context,
  accountId: string,
  after: string | null | undefined,
): Changes<PortfolioReference> {
  const portfolio = portfolioOf(accountId);
  if (!portfolio) throw badInput(`accountId must be a UUID, but got "${accountId}".`, ['accountId']);
  const route = { field: 'accountId', values: [portfolio.accountId] };
  return context.states({
    sources: [
      { relation: 'positions', route },
      { relation: 'strategies', route },
    ],
    watch: (touch) => context.service.marks.watch(portfolio.accountId, touch),
    read: async () => ({ ...portfolio, valued: await context.service.valueOf(portfolio.accountId) }),
    minIntervalMs: MIN_INTERVAL_MS,
    after,
  });
}
