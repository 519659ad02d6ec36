import type { Changes } from '../../platform/context.ts';
import { badInput } from '../../platform/errors.ts';
import { mapStream } from '../../platform/streams.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context } from './context.ts';
import type { SubscriptionExchangeTradeChangesArgs } from './generated/resolvers.ts';
import { type ExchangeTradeEvent, exchangeTradeTopic } from './topics.ts';

/**
 * An account's executions, or the public tape of a symbol: one event a match, told by the taker's side.
 * @throws GraphQLError (bad input) when neither is given, Refusal (validation) on a symbol that is none
 */
export function exchangeTradeChanges(
  context: Context,
  { accountId, symbol, after }: Partial<SubscriptionExchangeTradeChangesArgs>,
): AsyncIterable<ExchangeTradeEvent> {
  const isPublic = (accountId ?? null) === null;
  if (isPublic && (symbol ?? null) === null) throw badInput('Give accountId, symbol, or both.');
  const choice = {
    accountId,
    symbol: symbol && normaliseSymbol(symbol, ['symbol']),
    liquidity: isPublic ? 'TAKER' : null,
  };
  const changes: Changes<ExchangeTradeEvent['row'] & object> = context.changes(exchangeTradeTopic, { choice, after });
  return mapStream(changes, (event) => ({ ...event, isPublic }));
}
