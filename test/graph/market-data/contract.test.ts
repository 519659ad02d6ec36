/** Every field of every type is asked for, of real data: a missing resolver is no type error. */
import {
  type GraphQLObjectType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { candle, createInstruments, NOW, tick } from './market.ts';

/** Kinds of refusal that market data never gives, and what federation adds. */
const FOREIGN = ['InsufficientFunds', 'DomainUnavailable', '_Service'];
const DEPTH = 6;

const ARGUMENTS: Record<string, string> = {
  'Query.instrument': '(symbol: "BTC-USD")',
  'Query.asset': '(code: "BTC")',
  'Query.ticker': '(symbol: "BTC-USD")',
  'Query.tickers': '(symbols: ["BTC-USD"])',
  'Query.latestPrice': '(symbol: "BTC-USD")',
  'Query.priceHistory': '(symbol: "BTC-USD")',
  'Query.latestCandle': '(symbol: "BTC-USD", interval: M1)',
  'Query.orderBookSnapshot': '(symbol: "BTC-USD")',
  'Query.dataSource': '(name: "venue")',
  'Query.consensusPrice': '(symbol: "BTC-USD")',
  'Query.feedState': '(symbol: "BTC-USD")',
  'Query.marketScenario': '(scenarioId: $scenarioId)',
  'Query.correlationMatrix': '(symbols: ["BTC-USD", "OLD-USD"])',
  'Query.volumeProfile': '(symbol: "BTC-USD", from: "2026-03-01T00:00:00Z", interval: H1)',
  'Query.dayStatistics': '(symbol: "BTC-USD")',
  'Query.priceFeed': '(feedId: $feedId)',
  'Query.candle': '(candleId: $candleId)',
  'Query.marketSnapshot': '(snapshotId: $snapshotId)',
  'Instrument.candles': '(interval: M1)',
  'Instrument.latestCandle': '(interval: M1)',
};

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD', 'OLD-USD');
});
afterAll(() => graph.close());

/** A selection of every field, and of objects to the given depth; a type is not entered again within itself. */
function everything(type: GraphQLObjectType, depth: number, within: readonly string[] = []): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const place = `${type.name}.${field.name}`;
    const named = getNamedType(field.type);
    const call = `${field.name}${ARGUMENTS[place] ?? ''}`;
    const required = field.args.filter(
      (argument) => isNonNullType(argument.type) && argument.defaultValue === undefined,
    );
    expect(required.length === 0 || ARGUMENTS[place] !== undefined, `arguments of ${place}`).toBe(true);
    if (isLeafType(named)) return [call];
    if (isInterfaceType(named)) return [`${call} { __typename ${refusals()} }`];
    if (!isObjectType(named) || depth === 0 || within.includes(named.name)) return [];
    return [`${call} { ${everything(named, depth - 1, [...within, type.name])} }`];
  });
  return ['__typename', ...fields].join(' ');
}

/** Fields of the kinds of refusal that market data gives. */
function refusals(): string {
  const kinds = ['ValidationFailed', 'NotFound', 'InvalidTransition', 'Conflict', 'IdempotencyConflict'];
  const extra: Record<string, string> = {
    NotFound: 'entity id',
    InvalidTransition: 'from to allowed',
    Conflict: 'currentVersion',
    IdempotencyConflict: 'key',
  };
  return kinds.map((kind) => `... on ${kind} { code message path ${extra[kind] ?? ''} }`).join(' ');
}

function schemaOf() {
  const schema = graph.subgraphs.get('market-data')?.schema;
  if (!schema) throw new Error('The subgraph does not run');
  return schema;
}

/** "Type.field" of everything in an answer. */
function seenIn(value: unknown, seen: Set<string>): Set<string> {
  if (Array.isArray(value)) for (const item of value) seenIn(item, seen);
  else if (value && typeof value === 'object' && '__typename' in value) {
    for (const [field, held] of Object.entries(value)) {
      if (held !== null && field !== '__typename') seen.add(`${value.__typename}.${field}`);
      seenIn(held, seen);
    }
  }
  return seen;
}

async function run(document: string, variables: Record<string, unknown>, seen: Set<string>) {
  const { data, errors } = await graph.subgraph('market-data', document, variables);
  expect(errors).toBeUndefined();
  seenIn(data, seen);
  return data;
}

const BOOK = { symbol: 'BTC-USD', venueId: 'binance', timestamp: NOW, sequence: '1' };
const LEVEL = (price: string) => [{ price, quantity: '1' }];
const VENUE = { venueId: 'binance', venueSymbol: 'BTCUSD', tickSize: '0.1', lotSize: '0.1', minOrderSize: '1' };
const TERMS = {
  displayName: 'b',
  tickSize: '1',
  minOrderSize: '1',
  maxOrderSize: '2',
  priceDecimals: 2,
  depegAlertThreshold: '0.1',
};

const REPORT = {
  symbol: 'BTC-USD',
  source: 'test',
  timestamp: '2026-03-02T11:00:00Z',
  lastPrice: '90',
  priceChange24h: '1',
  volume24h: '5',
  bid: '89',
  ask: '91',
  metadata: {},
};

const hours = ['BTC-USD', 'OLD-USD'].flatMap((symbol) =>
  Array.from({ length: 12 }, (_, n) => {
    const price = String(100 + (n % 3));
    const at = `2026-03-01T${String(n).padStart(2, '0')}:00:00Z`;
    return candle(at, `${price} ${price} ${price} ${price}`, { symbol, interval: 'H1', vwap: price, numTrades: 1 });
  }),
);
const minutes = Array.from({ length: 4 }, (_, n) =>
  candle(`2026-03-02T11:1${n}:00Z`, '1 2 1 2', { vwap: '1.5', numTrades: 1 }),
);
/** A price of the registered source. */
const word = (price: string, sequence: string) => ({
  prices: [tick(NOW, price, { source: 'venue', sequence, volume24h: '5', metadata: {} })],
});
const LATER = new Date(Date.parse(NOW) + 3_600_000).toISOString(); // an hour from now: nothing begins by itself

const SCENARIO = {
  name: 's',
  type: 'CRASH',
  symbols: ['OLD-USD'],
  durationMinutes: 10,
  createdBy: 'test',
  startAt: LATER,
};

/** Inputs with which each mutation shows every field of its payload, refusals too. */
const COMMANDS: [name: string, input: object][] = [
  ['createInstrument', { symbol: 'ETH-USD', ...TERMS }],
  ['createInstrument', { symbol: 'ETH-USD', ...TERMS }],
  ['updateInstrument', { symbol: 'BTC-USD', ...TERMS }],
  ['updateInstrument', { symbol: 'NO-USD' }],
  ['setInstrumentActive', { symbol: 'BTC-USD', isActive: true, idempotencyKey: 'k' }],
  ['setInstrumentActive', { symbol: 'BTC-USD', isActive: false, idempotencyKey: 'k' }],
  ['setInstrumentVenue', { symbol: 'BTC-USD', venue: VENUE }],
  ['defineAsset', { code: 'BTC', name: 'Bitcoin', kind: 'CRYPTO' }],
  ['recordTickers', { tickers: [REPORT, { ...REPORT, lastPrice: '0' }] }],
  [
    'ingestPrices',
    {
      prices: [
        tick(NOW, '100', {
          bid: '99',
          ask: '101',
          bidSize: '1',
          askSize: '1',
          quantity: '1',
          takerSide: 'BUY',
          volume24h: '5',
          confidence: '1',
          metadata: {},
        }),
        tick(NOW, '0'),
        tick(NOW, '1', { symbol: 'NO-USD' }),
      ],
    },
  ],
  [
    'ingestPrices',
    { prices: [tick('2026-03-01T11:00:00Z', '50'), tick('2026-03-02T12:00:01Z', '100', { metadata: {} })] },
  ],
  [
    'ingestCandles',
    {
      candles: [
        candle('2026-03-02T11:00:00Z', '1 2 1 2', { vwap: '1.5', numTrades: 1, source: 't', metadata: {} }),
        candle('2026-03-02T11:00:00Z', '1 2 1 1'),
      ],
    },
  ],
  ['ingestPrice', { price: tick('2026-03-02T12:00:02Z', '100', { metadata: {} }) }],
  ['ingestPrice', { price: tick(NOW, '0') }],
  ['deleteInstrument', { symbol: 'NO-USD', idempotencyKey: 'd' }],
  ['deleteInstrument', { symbol: 'ETH-USD', idempotencyKey: 'e' }],
  ['purgePriceFeeds', { before: '2026-01-01T00:00:00Z' }],
  ['purgeCandles', { before: NOW }],
  ['purgeSnapshots', { before: '2026-01-01T00:00:00Z' }],
  ['purgeOrderBooks', { before: '2026-01-01T00:00:00Z' }],
  ['ingestCandles', { candles: [...hours, ...minutes] }],
  ['generateSimulation', { symbol: 'BTC-USD', type: 'BROWNIAN_MOTION', dataPoints: 12 }],
  ['generateSimulation', { symbol: 'NO-USD', type: 'BROWNIAN_MOTION' }],
  ['updateInstrument', { symbol: 'BTC-USD', circuitBreakerThreshold: '0.0001' }],
  ['registerDataSource', { name: 'venue', kind: 'EXCHANGE', priority: 1, rateLimitPerSecond: 10 }],
  ['reportSourceError', { name: 'venue', message: 'refused' }],
  ['reportSourceError', { name: 'nobody', message: 'refused' }],
  ['ingestPrices', word('100', '1')],
  ['resetPriceBreaker', { symbol: 'BTC-USD' }],
  ['ingestPrices', word('200', '2')],
  ['resetPriceBreaker', { symbol: 'BTC-USD' }],
  ['ingestPrices', word('200', '3')],
  ['ingestPrices', word('200', '4')],
  ['ingestPrices', word('100.1', '5')],
  ['ingestPrices', { prices: [tick('2026-03-01T12:00:00Z', '100', { symbol: 'OLD-USD' })] }],
  ['createMarketScenario', SCENARIO],
  ['createMarketScenario', { ...SCENARIO, symbols: ['NO-USD'] }],
  ['scheduleMarketScenario', { scenarioId: 'x', startAt: NOW }],
  ['rollUpCandles', { symbol: 'BTC-USD', from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' }],
  [
    'recordOrderBooks',
    {
      books: [
        { ...BOOK, bids: LEVEL('1'), asks: LEVEL('2') },
        { ...BOOK, bids: LEVEL('2'), asks: LEVEL('1') },
      ],
    },
  ],
];

const scenarioSteps = (scenarioId: string): [name: string, input: object][] => [
  ['scheduleMarketScenario', { scenarioId, startAt: LATER }],
  ['startMarketScenario', { scenarioId }],
  ['startMarketScenario', { scenarioId }],
  ['stopMarketScenario', { scenarioId, reason: 'seen' }],
  ['stopMarketScenario', { scenarioId }],
];

it('every field of every type is answered', async () => {
  const schema = schemaOf();
  const [query, mutation] = [schema.getQueryType(), schema.getMutationType()];
  if (!query || !mutation) throw new Error('The schema has no roots');
  const seen = new Set<string>();

  const command = async (name: string, input: object) => {
    const payload = getNamedType(mutation.getFields()[name]?.type) as GraphQLObjectType;
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
    const selection = everything(payload, 2);
    await run(`mutation M($input: ${type}!) { __typename ${name}(input: $input) { ${selection} } }`, { input }, seen);
  };
  for (const [name, input] of COMMANDS) await command(name, input);
  const { createMarketScenario } = await run(
    `mutation M($input: CreateMarketScenarioInput!) { createMarketScenario(input: $input) { scenario { scenarioId } } }`,
    { input: { ...SCENARIO, startAt: undefined } },
    seen,
  );
  const { scenarioId } = createMarketScenario.scenario;
  for (const [name, input] of scenarioSteps(scenarioId)) await command(name, input);
  const ids = await run(
    `{ priceFeeds(first: 1) { nodes { feedId } } candles(first: 1) { nodes { candleId } }
       tickerHistory(first: 1) { nodes { snapshotId } } }`,
    {},
    seen,
  );
  const variables: Record<string, string> = {
    feedId: ids.priceFeeds.nodes[0].feedId,
    candleId: ids.candles.nodes[0].candleId,
    scenarioId,
    snapshotId: ids.tickerHistory.nodes[0].snapshotId,
  };
  const roots = Object.values(query.getFields()).filter(({ name }) => !name.startsWith('_'));
  for (const { name, type } of roots) {
    const call = `${name}${ARGUMENTS[`Query.${name}`] ?? ''}`;
    const ids = Object.keys(variables).filter((id) => call.includes(`$${id}`));
    const declared = ids.length === 0 ? '' : `(${ids.map((id) => `$${id}: ID!`).join(', ')})`;
    const selection = everything(getNamedType(type) as GraphQLObjectType, DEPTH);
    await run(`query Q${declared} { __typename ${call} { ${selection} } }`, variables, seen);
  }

  // What subscriptions tell is asked for in test/graph/live, what is about faults in test/graph/chaos.
  const types = Object.values(schema.getTypeMap()).filter(
    (type) =>
      isObjectType(type) &&
      !/^__|Change$|^DomainEvent|^Fault$|^Subscription$/.test(type.name) &&
      !FOREIGN.includes(type.name),
  ) as GraphQLObjectType[];
  const all = types.flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
  const missing = all.filter(
    (place) => !seen.has(place) && !/^Query\._|invalidate|^LimitBreached|Faults?(Payload\.|$)/i.test(place),
  );
  // Nothing is wrong with the stores of a test, and a simulation stores nothing.
  expect(missing).toEqual(['StoreHealth.error', 'GenerateSimulationPayload.readToken']);
});

it('every type, field, argument, value and input has a description', () => {
  const types = Object.values(schemaOf().getTypeMap()).filter(
    ({ name }) => !/^_|__/.test(name) && !FOREIGN.includes(name),
  );
  const bare = types.flatMap((type) => {
    const fields = 'getFields' in type ? Object.values(type.getFields()) : 'getValues' in type ? type.getValues() : [];
    const parts = fields.flatMap((field) => [field, ...('args' in field ? field.args : [])]);
    return [type, ...parts].filter(({ description }) => !description).map(({ name }) => `${type.name}.${name}`);
  });
  const builtIn = ['String.String', 'Query._entities', 'Query._service'];
  expect(
    bare.filter(
      (place) => !builtIn.includes(place) && !place.startsWith('Query._') && !place.includes('representations'),
    ),
  ).toEqual([]);
});
