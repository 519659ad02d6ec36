import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, createInstruments, done, fault, NOW } from './market.ts';

let lists: TestGraph;
beforeAll(async () => {
  lists = await startGraph({ cacheBytes: 0, now: () => new Date(NOW) });
  await createInstruments(lists, 'BTC-USD', 'ETH-USD', 'ETH-BTC', 'BTC-USD-PERP', 'SOL-USDT');
  await done(lists, 'setInstrumentActive', { symbol: 'SOL-USDT', isActive: false });
  await done(lists, 'updateInstrument', { symbol: 'ETH-USD', displayName: 'Ether to Dollar' });
  await done(lists, 'setInstrumentVenue', { symbol: 'ETH-BTC', venue: { venueId: 'kraken', venueSymbol: 'ETHXBT' } });
  await done(lists, 'defineAsset', { code: 'BTC', kind: 'CRYPTO' });
});
afterAll(() => lists.close());

/** The statements of a question: the fewest of several times, since the domain may do something by itself between. */
async function cost(question: () => Promise<unknown>): Promise<number> {
  const counts: number[] = [];
  for (let asked = 0; asked < 4; asked++) {
    const before = lists.statements();
    await question();
    counts.push(lists.statements() - before);
  }
  return Math.min(...counts);
}

describe('lists of instruments', () => {
  const symbolsOf = async (filter: string) => {
    const { instruments } = await ask(lists, `{ instruments(filter: ${filter}) { totalCount nodes { symbol } } }`);
    const symbols: string[] = instruments.nodes.map(({ symbol }: { symbol: string }) => symbol);
    expect(instruments.totalCount).toBe(symbols.length);
    return symbols;
  };

  it.each([
    ['{}', ['BTC-USD', 'BTC-USD-PERP', 'ETH-BTC', 'ETH-USD', 'SOL-USDT']],
    ['{ symbols: ["eth/btc", "BTCUSD", "NO-USD"] }', ['BTC-USD', 'ETH-BTC']],
    ['{ symbols: [] }', []],
    ['{ baseAsset: "eth" }', ['ETH-BTC', 'ETH-USD']],
    ['{ quoteAsset: "BTC" }', ['ETH-BTC']],
    ['{ kind: PERPETUAL }', ['BTC-USD-PERP']],
    ['{ kind: SPOT, baseAsset: "BTC" }', ['BTC-USD']],
    ['{ isActive: false }', ['SOL-USDT']],
    ['{ venueId: "kraken" }', ['ETH-BTC']],
    ['{ venueId: "no\\u0000where" }', []],
    ['{ search: "dollar" }', ['ETH-USD']],
    ['{ search: "-usd" }', ['BTC-USD', 'BTC-USD-PERP', 'ETH-USD', 'SOL-USDT']],
    ['{ search: "%" }', []],
    ['{ search: "\\u0000" }', []],
  ])('filtered by %s', async (filter, expected) => {
    expect(await symbolsOf(filter)).toEqual(expected);
  });

  it('of the active ones', async () => {
    const { activeInstruments } = await ask(lists, '{ activeInstruments { totalCount nodes { symbol } } }');
    expect(activeInstruments.totalCount).toBe(4);
    expect(activeInstruments.nodes[0]).toEqual({ symbol: 'BTC-USD' });
  });

  it('are paged through without repeats or holes', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { nodes: { symbol: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
        await ask(
          lists,
          `query P($after: String) {
            instruments(first: 2, after: $after, sortBy: CREATED_AT, sortOrder: DESC) {
              nodes { symbol } pageInfo { hasNextPage endCursor }
            }
          }`,
          { after },
        )
      ).instruments;
      seen.push(...page.nodes.map(({ symbol }) => symbol));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(['SOL-USDT', 'BTC-USD-PERP', 'ETH-BTC', 'ETH-USD', 'BTC-USD']);
  });

  it.each([
    ['{ instruments(first: 501) { nodes { symbol } } }', /first must be from 0 to 500, but got 501/],
    ['{ instruments(first: -1) { nodes { symbol } } }', /first must be/],
    ['{ instruments(after: "x") { nodes { symbol } } }', /after must be a cursor/],
    ['{ instruments(filter: { symbols: ["?"] }) { nodes { symbol } } }', /is not a symbol/],
    ['{ instrument(symbol: "a\\u0000b") { symbol } }', /is not a symbol/],
    ['{ ticker(symbol: "") { lastPrice } }', /is not a symbol/],
  ])('%s is the caller’s fault', async (query, message) => {
    const { message: shown, code } = await fault(lists, query);
    expect(shown).toMatch(message);
    expect(code).toBe('BAD_USER_INPUT');
  });

  it('of more than 500 symbols are refused', async () => {
    const symbols = Array.from({ length: 501 }, (_, i) => `A${i}-USD`);
    const query = 'query Q($symbols: [String!]!) { tickers(symbols: $symbols) { lastPrice } }';
    expect(await fault(lists, query, { symbols })).toEqual({
      message: 'symbols takes at most 500 values, but got 501.',
      code: 'BAD_USER_INPUT',
    });
  });

  it('of assets, filtered', async () => {
    const codesOf = async (filter: string) =>
      (await ask(lists, `{ assets(filter: ${filter}) { nodes { code } } }`)).assets.nodes.map(
        ({ code }: { code: string }) => code,
      );
    expect(await codesOf('{}')).toEqual(['BTC', 'ETH', 'SOL', 'USD', 'USDT']);
    expect(await codesOf('{ codes: ["usd", "sol", "\\u0000"] }')).toEqual(['SOL', 'USD']);
    expect(await codesOf('{ kind: CRYPTO }')).toEqual(['BTC']);
  });

  it('cost a constant number of statements, however many instruments', async () => {
    const query = `query Q($first: Int) { instruments(first: $first) { nodes {
      symbol baseAsset { code } quoteAsset { code } venues { venueSymbol } ticker { lastPrice } latestPrice { price }
      priceHistory(first: 2) { nodes { price } totalCount } candles(interval: H1, first: 2) { nodes { close } }
      latestCandle(interval: D1) { close } orderBookSnapshot(depth: 5) { sequence }
      kraken: orderBookSnapshot(venueId: "kraken") { sequence }
    } } }`;
    expect(await cost(() => ask(lists, query, { first: 1 }))).toBe(10);
    expect(await cost(() => ask(lists, query, { first: 5 }))).toBe(10);
  });

  it('are resolved as entities in one statement a type', async () => {
    const representations = [
      { __typename: 'Instrument', symbol: 'ETH-BTC' },
      { __typename: 'Instrument', symbol: 'NO-USD' },
      { __typename: 'Asset', code: 'SOL' },
      { __typename: 'Instrument', symbol: 'BTC-USD' },
    ];
    const query = `query E($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Instrument { symbol isActive } ... on Asset { code }
    } }`;
    const { _entities } = await ask(lists, query, { representations });
    expect(_entities).toEqual([
      { symbol: 'ETH-BTC', isActive: true },
      null,
      { code: 'SOL' },
      { symbol: 'BTC-USD', isActive: true },
    ]);
    expect(await cost(() => ask(lists, query, { representations }))).toBe(2);
  });
});
