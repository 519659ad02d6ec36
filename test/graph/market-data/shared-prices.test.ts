/** Calls that come together share a transaction, and nobody can tell but by the time it takes. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import { change24h } from '../../../subgraphs/market-data/rules/market-figures.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, candle, createInstruments, done, NOW, refused, send, tick, tickerOf } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD', 'ETH-USD', 'NEW-USD', 'OLD-USD');
});
afterAll(() => graph.close());

const at = (second: number) => `2026-03-02T11:00:${String(second).padStart(2, '0')}Z`;
const ingest = (price: object, rest: object = {}) => send(graph, 'ingestPrices', { prices: [price], ...rest });

async function counts(): Promise<{ calls: number; transactions: number }> {
  const { priceIngestion } = await ask(graph, '{ priceIngestion { calls transactions } }');
  return { calls: Number(priceIngestion.calls), transactions: Number(priceIngestion.transactions) };
}

describe('prices that come together', () => {
  it('take fewer transactions than calls, and each call hears of its own prices', async () => {
    const before = await counts();
    const calls = Array.from({ length: 40 }, (_, i) =>
      ingest(tick(at(i), String(100 + i), { symbol: i % 2 ? 'ETH-USD' : 'BTC-USD' })),
    );
    const twins = Array.from({ length: 5 }, () => ingest(tick(at(50), '7', { symbol: 'ETH-USD', source: 'twin' })));
    const bad = ingest(tick(at(1), '-1'));
    const payloads = await Promise.all(calls);
    expect(payloads.map(({ accepted, duplicates }) => [accepted, duplicates])).toEqual(Array(40).fill([1, 0]));
    const twinsAccepted = (await Promise.all(twins)).map(({ accepted, duplicates }) => `${accepted}${duplicates}`);
    expect(twinsAccepted.sort()).toEqual(['01', '01', '01', '01', '10']);
    expect(await bad).toMatchObject({ accepted: 0, refused: [{ index: 0 }], errors: [] });
    expect(await tickerOf(graph, 'BTC-USD')).toMatchObject({ lastPrice: '138', timestamp: at(38) });

    const after = await counts();
    expect(after.calls - before.calls).toBe(46);
    expect(after.transactions - before.transactions).toBeLessThan(20);
  });

  it('keep their idempotency keys', async () => {
    const keyed = (price: string, key: string) => ingest(tick(at(1), price, { source: key }), { idempotencyKey: key });
    const first = await Promise.all([
      keyed('1', 'a'),
      keyed('1', 'a'),
      keyed('2', 'b'),
      keyed('3', 'b'),
      keyed('4', 'c'),
    ]);
    expect(first.map(({ accepted }) => accepted).toSorted()).toEqual([0, 1, 1, 1, 1]);
    const conflicts = first.flatMap(({ errors }) => errors.map(({ code }: { code: string }) => code));
    expect(conflicts).toEqual(['IDEMPOTENCY_CONFLICT']); // of the two with other content, whichever came second
    const again = await Promise.all([keyed('1', 'a'), keyed('4', 'c'), keyed('5', 'c'), keyed('6', '')]);
    expect(again.map(({ accepted, duplicates }) => [accepted, duplicates])).toEqual([
      [1, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(again[2].errors).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT' }]);
    expect(again[3].errors).toMatchObject([{ code: 'VALIDATION_FAILED' }]);
    expect(await graph.sql('market-data', `select 1 from price_feeds where source in ('a', 'b', 'c')`)).toHaveLength(3);
  });

  it('are stored when another of them cannot be', async () => {
    // 64 KiB as JSON, more as PostgreSQL writes it.
    const metadata = Object.fromEntries(Array.from({ length: 7_900 }, (_, i) => [i.toString(36), 1]));
    const document =
      'mutation I($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted errors { message } } }';
    const input = { prices: [tick(at(2), '1', { source: 'large', metadata })] };
    const large = graph.subgraph('market-data', document, { input });
    const others = Array.from({ length: 10 }, (_, i) => ingest(tick(at(i), '1', { source: `beside-${i}` })));
    expect((await Promise.all(others)).map(({ accepted }) => accepted)).toEqual(Array(10).fill(1));
    expect((await large).errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
  });

  it('say how long they took', async () => {
    const { priceIngestion } = await ask(graph, '{ priceIngestion { waitingCalls storedLagP50Ms storedLagP99Ms } }');
    expect(priceIngestion.waitingCalls).toBe(0);
    expect(priceIngestion.storedLagP50Ms).toBeGreaterThan(0);
    expect(priceIngestion.storedLagP99Ms).toBeGreaterThanOrEqual(priceIngestion.storedLagP50Ms);
  });
});

describe('a price that nothing stands in the way of', () => {
  beforeAll(() => createInstruments(graph, 'AAA-USD', 'BBB-USD', 'DAY-USD'));
  const price = (second: number, value: string, rest: object = {}) => ingest(tick(at(second), value, rest));

  it('costs one statement', async () => {
    const { subgraphs } = graph;
    let second = 0;
    const costOf = async () => {
      const before = subgraphs.get('market-data')?.statements() ?? 0;
      await price(second++ % 60, '1', { symbol: 'AAA-USD', source: `cost-${second}` });
      return (subgraphs.get('market-data')?.statements() ?? 0) - before;
    };
    await expect.poll(costOf).toBe(1);
  });

  it('is refused once its instrument is not active, whoever has seen to that', async () => {
    expect(await price(1, '1', { symbol: 'AAA-USD', source: 'active' })).toMatchObject({ accepted: 1 });
    await graph.sql('market-data', `update symbols set is_active = false where symbol = 'AAA-USD'`);
    expect(await price(2, '2', { symbol: 'AAA-USD', source: 'active' })).toMatchObject({
      accepted: 0,
      refused: [{ error: { message: 'AAA-USD is not active, so nothing is recorded for it.' } }],
    });
  });

  it('is stored though the partition of its day is gone again', async () => {
    const old = (second: number) => ingest(tick(`2026-01-07T00:00:0${second}Z`, '1', { symbol: 'BBB-USD' }));
    await expect.poll(() => old(1)).toMatchObject({ accepted: 0, duplicates: 1 });
    await graph.sql('market-data', 'drop table price_feeds_20260107');
    expect(await old(2)).toMatchObject({ accepted: 1, refused: [], errors: [] });
  });

  it('is judged as soon as its source is registered', async () => {
    expect(await price(1, '1', { symbol: 'BBB-USD', source: 'sudden' })).toMatchObject({ accepted: 1 });
    await graph.sql('market-data', `insert into data_sources (name, kind, priority) values ('sudden', 'REST', 1)`);
    expect(await price(2, '2', { symbol: 'BBB-USD', source: 'sudden' })).toMatchObject({ accepted: 1 });
    const judged = `select price::float from source_prices where source = 'sudden'`;
    expect(await graph.sql('market-data', judged)).toEqual([{ price: 2 }]);
  });

  it('knows the figures of its day, and follows the bars that are written meanwhile', async () => {
    const bar = (startTime: string, volume: string) =>
      done(graph, 'ingestCandles', { candles: [candle(startTime, '40 40 40 40', { symbol: 'DAY-USD', volume })] });
    await bar('2026-03-01T11:58:00Z', '1000');
    await bar('2026-03-02T11:58:00Z', '2');
    const live = async (second: number) => {
      await price(second, '50', { symbol: 'DAY-USD', timestamp: `2026-03-02T11:59:${second}.5Z` });
      return tickerOf(graph, 'DAY-USD');
    };
    expect(await live(10)).toMatchObject({ volume24h: '2', priceChange24h: '10', priceChangePercent24h: '25' });
    await bar('2026-03-02T11:57:00Z', '3');
    let second = 10;
    await expect.poll(() => live(++second)).toMatchObject({ volume24h: '5', priceChange24h: '10' });
  });

  it('changes in percent by the rule of every other figure', async () => {
    const money = fc.integer({ min: 1, max: 10 ** 9 }).map((units) => dec(units).dividedBy(1e4).toFixed());
    const pairs = [...fc.sample(fc.tuple(money, money), 200), ['100.0000005', '100'], ['100.0000015', '100']];
    const rows = await graph.sql(
      'market-data',
      `select percent_change(last, before)::text as percent
         from unnest($1::numeric[], $2::numeric[]) with ordinality as pair(last, before, place) order by place`,
      [pairs.map(([last]) => last), pairs.map(([, before]) => before)],
    );
    expect(rows.map(({ percent }) => dec(percent).toFixed())).toEqual(
      pairs.map(([last = '', before = '']) => change24h(last, before)?.percent.toFixed()),
    );
  });
});

describe('a single price', () => {
  it('is stored once', async () => {
    const price = tick(at(3), '5', { symbol: 'NEW-USD' });
    const selection = 'isDuplicate ticker { lastPrice }';
    expect(await done(graph, 'ingestPrice', { price }, selection)).toEqual({
      isDuplicate: false,
      ticker: { lastPrice: '5' },
    });
    expect(await done(graph, 'ingestPrice', { price }, selection)).toMatchObject({ isDuplicate: true });
  });

  it('is refused with the field at fault', async () => {
    const price = tick(at(3), '5', { bid: '6', ask: '5' });
    expect(await refused(graph, 'ingestPrice', { price })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', 'price', 'bid'],
    });
  });
});

describe('withdrawing an instrument', () => {
  const withdraw = async (input: object) =>
    (
      await graph.run(
        `mutation D($input: DeleteInstrumentInput!) {
          deleteInstrument(input: $input) { instrument { symbol isActive } errors { __typename message } }
        }`,
        { input },
      )
    ).data.deleteInstrument;

  it('deactivates one that nothing speaks of', async () => {
    expect(await withdraw({ symbol: 'old/usd' })).toEqual({
      instrument: { symbol: 'OLD-USD', isActive: false },
      errors: [],
    });
  });

  it('is refused while prices, or orders, speak of it', async () => {
    expect((await withdraw({ symbol: 'BTC-USD' })).errors).toMatchObject([
      { __typename: 'ValidationFailed', message: expect.stringContaining('Prices or bars') },
    ]);
    await createInstruments(graph, 'ORD-USD');
    const { data } = await graph.run(`mutation {
      createExchangeAccount(input: { clientId: "withdrawal", type: SPOT }) { account { accountId } errors { message } }
    }`);
    const { accountId } = data.createExchangeAccount.account;
    const { errors } = await graph.run(`mutation {
      deposit(input: { accountId: "${accountId}", asset: "USD", amount: "10" }) { errors { message } }
      placeExchangeOrder(input: {
        accountId: "${accountId}", symbol: "ORD-USD", side: BUY, type: LIMIT, quantity: "1", price: "1"
      }) { errors { message } }
    }`);
    expect(errors).toBeUndefined();
    expect((await withdraw({ symbol: 'ORD-USD' })).errors).toMatchObject([
      { message: expect.stringContaining('Orders of ORD-USD') },
    ]);
  });

  it('names one that does not exist, or has changed', async () => {
    expect((await withdraw({ symbol: 'NO-USD' })).errors).toMatchObject([{ __typename: 'NotFound' }]);
    expect((await withdraw({ symbol: 'NEW-USD', expectedVersion: 9 })).errors).toMatchObject([
      { __typename: 'Conflict' },
    ]);
  });
});
