/** Orders that trading places only when risk allows it. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { settings } from '../../../subgraphs/trading/settings.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, openDesk, refused, send, trade, until } from './watch-desk.ts';

let graph: TestGraph;
const before = { ...settings };

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  await openDesk(graph);
  await trade(graph, 'desk', '5', '100');
  await done(graph, 'setRiskLimit', { type: 'POSITION_SIZE', threshold: '10', by: 'ann' });
  Object.assign(settings, { asksRisk: true, riskTimeoutMs: 20_000 });
});
afterAll(async () => {
  Object.assign(settings, before);
  await graph.close();
});

const order = (side: string, quantity: string) => ({
  strategyId: 'desk',
  symbol: 'BTC-USD',
  side,
  type: 'LIMIT',
  quantity,
  price: '100',
  execution: 'MANUAL',
});

/** Waits until risk has heard of what is held and open. */
async function untilRefusing(side: string, quantity: string): Promise<void> {
  const question = `query ($input: PreTradeCheckInput!) { preTradeCheck(input: $input) { isAllowed } }`;
  const input = { strategyId: 'desk', accountId: ACCOUNT, symbol: 'BTC-USD', side, quantity, price: '100' };
  await until(async () => expect((await ask(graph, question, { input })).preTradeCheck.isAllowed).toBe(false));
}

describe('with risk asked first', () => {
  it('an order within the limits is placed, one beyond is refused by the limit, and counts what is open', async () => {
    await untilRefusing('BUY', '5');
    const refusal = await refused(graph, 'placeOrder', order('BUY', '5'));
    expect(refusal).toMatchObject({ code: 'LIMIT_BREACHED', message: 'It would reach the limit: 10 of 10.' });
    await done(graph, 'placeOrder', order('BUY', '3'));
    await untilRefusing('BUY', '2');
    const counted = await refused(graph, 'placeOrder', order('BUY', '2'));
    expect(counted.message).toBe('It would reach the limit: 10 of 10.');
  });

  it('the circuit breaker refuses orders, not reductions and cancellations', async () => {
    const { order: placed } = await done(graph, 'placeOrder', order('SELL', '1'), 'order { orderId }');
    await done(graph, 'triggerCircuitBreaker', { reason: 'a drill', by: 'ann' });
    await until(async () =>
      expect((await refused(graph, 'placeOrder', order('BUY', '1'))).message).toContain('circuit breaker is OPEN'),
    );
    await done(graph, 'cancelOrder', { orderId: placed.orderId });
    const { positions } = await ask(graph, '{ positions: openPositions { nodes { positionId quantity } } }');
    const [{ positionId, quantity }] = positions.nodes;
    expect(quantity).toBe('5');
    await until(async () => {
      const { errors, order } = await send(
        graph,
        'closePosition',
        { positionId, execution: 'MANUAL' },
        'order { orderId side }',
      );
      expect(errors).toEqual([]);
      expect(order.side).toBe('SELL');
      await done(graph, 'cancelOrder', { orderId: order.orderId });
    });
    await done(graph, 'resetCircuitBreaker', { reason: 'it is over', by: 'ann' });
  });

  it('nothing is placed while risk does not answer', async () => {
    await graph.subgraphs.get('risk')?.close();
    graph.subgraphs.delete('risk'); // it is closed
    await vi.waitFor(
      async () =>
        expect(await refused(graph, 'placeOrder', order('SELL', '1'))).toMatchObject({ code: 'DOMAIN_UNAVAILABLE' }),
      { timeout: 30_000, interval: 200 },
    );
    const { openPositions } = await ask(graph, '{ openPositions { nodes { positionId } } }');
    const [{ positionId }] = openPositions.nodes;
    expect(await refused(graph, 'closePosition', { positionId })).toMatchObject({ code: 'DOMAIN_UNAVAILABLE' });
  });
});
