/** Many clients at once: what they did adds up to the last digit, and of two that exclude each other one wins. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { expectTrueTotals } from './books.ts';
import { ask, done, execution, now, order, send, strategy } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const at = <Result>(count: number, work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

const audit = () => expectTrueTotals((statement) => graph.sql('trading', statement));

describe('many clients at once', () => {
  it('fill one order: exact sums, and nothing above its quantity', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId, { quantity: '3' });
    const payloads = await at(40, (index) =>
      send(graph, 'recordFill', execution(orderId, '0.1', String(100 + index), { commission: '0.01' })),
    );
    const codes = payloads.map(({ errors }) => errors[0]?.code ?? 'done');
    expect(codes.filter((code) => code === 'done')).toHaveLength(30);
    expect(codes.filter((code) => code === 'INVALID_TRANSITION')).toHaveLength(10);
    const data = await ask(
      graph,
      'query ($id: ID!) { tradingOrder(id: $id) { status filledQuantity commission trades { totalCount } strategy { totalTrades realizedPnl } } }',
      { id: orderId },
    );
    expect(data.tradingOrder).toEqual({
      status: 'FILLED',
      filledQuantity: '3',
      commission: '0.3',
      trades: { totalCount: 30 },
      strategy: { totalTrades: 30, realizedPnl: '-0.3' },
    });
    await audit();
  });

  it('trade one position both ways, through zero and back', async () => {
    const strategyId = await strategy(graph);
    const orders = await at(2, (index) =>
      order(graph, strategyId, { quantity: '30', side: index === 0 ? 'BUY' : 'SELL' }),
    );
    const payloads = await at(60, (index) =>
      send(
        graph,
        'recordFill',
        execution(orders[index % 2] as string, '1', String(100 + (index % 7)), { commission: '0.5' }),
      ),
    );
    expect(payloads.flatMap(({ errors }) => errors)).toEqual([]);
    const { position, strategy: after } = await ask(
      graph,
      'query ($id: ID!) { position(strategyId: $id, symbol: "BTC-USD") { quantity } strategy(id: $id) { totalTrades } }',
      { id: strategyId },
    );
    expect({ position, after }).toEqual({ position: null, after: { totalTrades: 60 } });
    await audit();
  });

  it('report the same execution: one trade', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId, { quantity: '10' });
    const fill = execution(orderId, '1', '100');
    const payloads = await at(20, () => done(graph, 'recordFill', fill, 'trade { tradeId }'));
    expect(new Set(payloads.map(({ trade }) => trade.tradeId)).size).toBe(1);
    await audit();
  });

  it('report one execution id for two strategies: one is refused', async () => {
    for (let round = 0; round < 10; round++) {
      const orders = await at(2, async () => order(graph, await strategy(graph)));
      const fill = execution('', '1', '100');
      const payloads = await Promise.all(orders.map((orderId) => send(graph, 'recordFill', { ...fill, orderId })));
      const codes = payloads.map(({ errors }) => errors[0]?.code ?? 'done');
      expect(codes.sort()).toEqual(['IDEMPOTENCY_CONFLICT', 'done']);
    }
    await audit();
  });

  it('cancel one order: one wins, the other is told so', async () => {
    const orderId = await order(graph, await strategy(graph));
    const payloads = await at(2, () => send(graph, 'cancelOrder', { orderId }, 'order { status }'));
    const codes = payloads.map(({ errors }) => errors[0]?.code ?? 'done');
    expect(codes.sort()).toEqual(['INVALID_TRANSITION', 'done']);
    expect(payloads.flatMap(({ errors }) => errors)).toMatchObject([
      { from: 'CANCELLED', to: 'CANCELLED', allowed: [] },
    ]);
  });

  it('cancel and fill one order: exactly one wins', async () => {
    for (let round = 0; round < 10; round++) {
      const orderId = await order(graph, await strategy(graph));
      const [cancelled, filled] = await Promise.all([
        send(graph, 'cancelOrder', { orderId }),
        send(graph, 'recordFill', execution(orderId, '1', '100')),
      ]);
      const codes = [cancelled, filled].map(({ errors }) => errors[0]?.code ?? 'done');
      expect(codes.sort()).toEqual(['INVALID_TRANSITION', 'done']);
    }
    await audit();
  });

  it('start one strategy: one wins', async () => {
    const strategyId = await strategy(graph, { status: 'inactive' });
    const payloads = await at(5, () => send(graph, 'startStrategy', { strategyId }));
    expect(payloads.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  });

  it('place, fill, cancel, mark and pause across strategies without deadlock, and everything adds up', async () => {
    const symbols = ['BTC-USD', 'ETH-USD', 'SOL-USD'];
    const desks = await at(4, () => strategy(graph, { symbols }));
    const pick = <Item>(items: readonly Item[], index: number) => items[index % items.length] as Item;
    const outcomes = new Map<string, number>();
    const note = ({ errors }: { errors: { code: string }[] }) => {
      const code = errors[0]?.code ?? 'done';
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    };
    await at(16, async (client) => {
      const strategyId = pick(desks, client);
      for (let step = 0; step < 5; step++) {
        const turn = client * 7 + step;
        const symbol = pick(symbols, turn);
        const side = turn % 3 === 0 ? 'SELL' : 'BUY';
        const orderId = `${strategyId}-${client}-${step}`;
        note(
          await send(graph, 'placeOrder', {
            orderId,
            strategyId,
            symbol,
            side,
            type: 'MARKET',
            quantity: '2',
            execution: 'MANUAL',
          }),
        );
        note(await send(graph, 'submitOrder', { orderId, venue: 'exchange-okx' }));
        await Promise.all([
          send(graph, 'recordFill', execution(orderId, '1.5', String(90 + (turn % 20)), { commission: '0.125' })).then(
            note,
          ),
          send(graph, 'recordFill', execution(orderId, '0.5', String(95 + (turn % 10)))).then(note),
          turn % 4 === 0 ? send(graph, 'cancelOrder', { orderId }).then(note) : undefined,
          send(graph, 'markPositions', {
            marks: symbols.map((each, place) => ({ symbol: each, price: String(100 + turn + place), at: now() })),
          }).then(note),
          turn % 13 === 0
            ? send(graph, 'pauseStrategy', { strategyId }).then(async (paused) => {
                note(paused);
                note(await send(graph, 'resumeStrategy', { strategyId }));
              })
            : undefined,
        ]);
      }
    });
    expect(
      [...outcomes.keys()].filter(
        (code) => !['done', 'INVALID_TRANSITION', 'NOT_FOUND', 'VALIDATION_FAILED'].includes(code),
      ),
    ).toEqual([]);
    expect(outcomes.get('done')).toBeGreaterThan(200);
    await audit();
  });
});
