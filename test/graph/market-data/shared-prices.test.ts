/** Calls that come together share a transaction, and nobody can tell but by the time it takes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, createInstruments, done, NOW, refused, send, tick, tickerOf } from './market.ts';

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
