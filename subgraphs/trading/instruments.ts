/** Instruments belong to market data; trading knows their symbols. */
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { INSTRUMENT_LIMIT } from './rules/strategy-settings.ts';

export interface InstrumentReference {
  symbol: string;
}

const KNOWN_INSTRUMENTS = /* GraphQL */ `
  query KnownInstruments($symbols: [String!]!, $first: Int!) {
    instruments(filter: { symbols: $symbols }, first: $first) { nodes { symbol } }
  }
`;

/**
 * Passes when market data knows every symbol. Ask before the transaction is opened.
 * @throws Refusal (not found) naming the first it does not know; (domain unavailable) when it does not answer
 */
export async function requireInstruments(graph: GraphClient, symbols: readonly string[]): Promise<void> {
  const { instruments } = await graph.request<{ instruments: { nodes: InstrumentReference[] } }>(KNOWN_INSTRUMENTS, {
    symbols,
    first: INSTRUMENT_LIMIT,
  });
  const known = new Set(instruments.nodes.map(({ symbol }) => symbol));
  const unknown = symbols.find((symbol) => !known.has(symbol));
  if (unknown !== undefined) throw refuse.notFound('Instrument', unknown, ['input', 'symbols']);
}
