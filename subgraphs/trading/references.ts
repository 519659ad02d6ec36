/** What trading refers to and other domains own. Ask before the transaction is opened. */
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { INSTRUMENT_LIMIT } from './rules/strategy-settings.ts';

export interface InstrumentReference {
  symbol: string;
}

export interface ExchangeOrderReference {
  orderId: string;
}

export interface ExchangeTradeReference {
  tradeId: string;
}

const KNOWN_INSTRUMENTS = /* GraphQL */ `
  query KnownInstruments($symbols: [String!]!, $first: Int!) {
    instruments(filter: { symbols: $symbols }, first: $first) { nodes { symbol } }
  }
`;

/**
 * Passes when market data knows every symbol.
 * @param field of the input, which has them. @default "symbols"
 * @throws Refusal (not found) naming the first it does not know; (domain unavailable) when it does not answer
 */
export async function requireInstruments(
  graph: GraphClient,
  symbols: readonly string[],
  field = 'symbols',
): Promise<void> {
  const { instruments } = await graph.request<{ instruments: { nodes: InstrumentReference[] } }>(KNOWN_INSTRUMENTS, {
    symbols,
    first: INSTRUMENT_LIMIT,
  });
  const known = new Set(instruments.nodes.map(({ symbol }) => symbol));
  const unknown = symbols.find((symbol) => !known.has(symbol));
  if (unknown !== undefined) throw refuse.notFound('Instrument', unknown, ['input', field]);
}

const KNOWN_ACCOUNT = /* GraphQL */ `
  query KnownAccount($id: ID!) {
    exchangeAccount(id: $id) { accountId }
  }
`;

/**
 * Passes when the exchange knows the account.
 * @throws Refusal (not found) when it does not; (domain unavailable) when it does not answer
 */
export async function requireAccount(graph: GraphClient, accountId: string): Promise<void> {
  const { exchangeAccount } = await graph.request<{ exchangeAccount: object | null }>(KNOWN_ACCOUNT, {
    id: accountId,
  });
  if (exchangeAccount === null) throw refuse.notFound('ExchangeAccount', accountId, ['input', 'accountId']);
}
