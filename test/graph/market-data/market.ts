/** A market for the tests: its commands in a line each, and answers as plain values. */
import { expect } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';

/** The clock of these tests. */
export const NOW = '2026-03-02T12:00:00Z';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

/** The data of a query that must have no errors. */
export async function ask(graph: TestGraph, query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await graph.subgraph('market-data', query, { ...variables });
  expect(errors).toBeUndefined();
  return data;
}

/** Message and code of the one error of a query that must have one. */
export async function fault(graph: TestGraph, query: string, variables: object = {}) {
  const { errors = [] } = await graph.subgraph('market-data', query, { ...variables });
  expect(errors).toHaveLength(1);
  return { message: errors[0]?.message, code: errors[0]?.extensions.code };
}

const ERROR = `__typename code message path
  ... on NotFound { entity id } ... on Conflict { currentVersion } ... on IdempotencyConflict { key }`;

/** What the bulk commands count. */
const COUNTS: Record<string, string> = {
  ingestPrices: 'accepted duplicates',
  ingestCandles: 'inserted updated ignored rolledUp',
  recordOrderBooks: 'recorded duplicates',
  recordTickers: 'recorded duplicates',
  rollUpCandles: 'rolledUp',
};

/** The payload of a mutation, refusals and all. */
export async function send(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const rows = COUNTS[name] && name !== 'rollUpCandles' ? `refused { index error { ${ERROR} } }` : '';
  const document = `mutation Send($input: ${type}!) {
    ${name}(input: $input) { ${selection} ${COUNTS[name] ?? ''} ${rows} errors { ${ERROR} } }
  }`;
  return (await ask(graph, document, { input }))[name];
}

/** What a command that must succeed selected; refused rows are a failure too. */
export async function done(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const { errors, refused, ...payload } = await send(graph, name, input, selection);
  expect([errors, refused ?? []]).toEqual([[], []]);
  return payload;
}

/** The one refusal of a command that must be refused as a whole. */
export async function refused(graph: TestGraph, name: string, input: object): Promise<Data> {
  const { errors } = await send(graph, name, input);
  expect(errors).toHaveLength(1);
  return errors[0];
}

export async function createInstruments(graph: TestGraph, ...symbols: string[]): Promise<void> {
  for (const symbol of symbols) await done(graph, 'createInstrument', { symbol });
}

/** A tick of BTC-USD. */
export function tick(timestamp: string, price: string, rest: object = {}) {
  return { symbol: 'BTC-USD', source: 'test', timestamp, price, ...rest };
}

export const TICKER = `lastPrice bid ask spread mid spreadBps quotedAt volume24h priceChange24h priceChangePercent24h source
  timestamp sequence version`;

export async function tickerOf(graph: TestGraph, symbol: string): Promise<Data> {
  return (await ask(graph, `query T($symbol: String!) { ticker(symbol: $symbol) { ${TICKER} } }`, { symbol })).ticker;
}

/** A bar of BTC-USD: start, open, high, low, close. */
export function candle(startTime: string, prices: string, rest: object = {}) {
  const [open, high, low, close] = prices.split(' ');
  return { symbol: 'BTC-USD', interval: 'M1', startTime, open, high, low, close, volume: '1', ...rest };
}

const BAR = 'startTime open high low close volume vwap numTrades isClosed origin coveredMinutes source';

/** The bars of an interval, oldest first. */
export async function bars(graph: TestGraph, interval: string, symbol = 'BTC-USD', selection = BAR): Promise<Data[]> {
  const { instrument } = await ask(
    graph,
    `query Bars($symbol: String!, $interval: CandleInterval!) {
      instrument(symbol: $symbol) { candles(interval: $interval, first: 500, sortOrder: ASC) { nodes { ${selection} } } }
    }`,
    { symbol, interval },
  );
  return instrument.candles.nodes;
}

/** A bar in one line: start, open high low close, volume, vwap. */
export function line(bar: Data): string {
  return [bar.startTime, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap ?? '-'].join(' ');
}
