/**
 * What market data says of instruments. It is asked anew for every order, so that an instrument that was just stopped
 * takes none; orders that arrive while a question is under way share the next one, which costs little under load.
 */
import { dec } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { InstrumentRules } from './rules/order-entry.ts';

interface InstrumentNode {
  symbol: string;
  isActive: boolean;
  tickSize: string | null;
  minOrderSize: string | null;
  maxOrderSize: string | null;
}

const INSTRUMENT_RULES = /* GraphQL */ `
  query InstrumentRules($symbols: [String!]!, $first: Int!) {
    instruments(filter: { symbols: $symbols }, first: $first) {
      nodes { symbol isActive tickSize minOrderSize maxOrderSize }
    }
  }
`;

/** Symbols in one question at most: a page of market data. */
const SYMBOLS_LIMIT = 500;

type Answer = Map<string, InstrumentNode>;

interface Desk {
  /** Whether a question is under way. */
  isAsking: boolean;
  /** The question to come. */
  next: { symbols: Set<string>; answer: PromiseWithResolvers<Answer> } | null;
}

const desks = new WeakMap<GraphClient, Desk>();

/**
 * The rules of an instrument. Ask before the transaction is opened.
 * @throws Refusal (not found) when market data does not know it; (domain unavailable) when it does not answer
 */
export async function instrumentRules(graph: GraphClient, symbol: string): Promise<InstrumentRules> {
  const node = (await ask(graph, symbol)).get(symbol);
  if (!node) throw refuse.notFound('Instrument', symbol, ['input', 'symbol']);
  const optional = (text: string | null) => (text === null ? null : dec(text));
  return {
    isActive: node.isActive,
    tickSize: optional(node.tickSize),
    minOrderSize: optional(node.minOrderSize),
    maxOrderSize: optional(node.maxOrderSize),
  };
}

function ask(graph: GraphClient, symbol: string): Promise<Answer> {
  const desk = desks.get(graph) ?? { isAsking: false, next: null };
  desks.set(graph, desk);
  if (desk.next && desk.next.symbols.size >= SYMBOLS_LIMIT) throw refuse.domainUnavailable('market-data');
  desk.next ??= { symbols: new Set(), answer: Promise.withResolvers() };
  desk.next.symbols.add(symbol);
  const { promise } = desk.next.answer;
  if (!desk.isAsking) void send(graph, desk);
  return promise;
}

/** Sends the questions that have come together, one after the other, until there is none. */
async function send(graph: GraphClient, desk: Desk): Promise<void> {
  desk.isAsking = true;
  while (desk.next) {
    const { symbols, answer } = desk.next;
    desk.next = null;
    const variables = { symbols: [...symbols], first: symbols.size };
    try {
      const { instruments } = await graph.request<{ instruments: { nodes: InstrumentNode[] } }>(
        INSTRUMENT_RULES,
        variables,
      );
      answer.resolve(new Map(instruments.nodes.map((node) => [node.symbol, node])));
    } catch (error) {
      answer.reject(error);
    }
  }
  desk.isAsking = false;
}
