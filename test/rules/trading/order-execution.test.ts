import { describe, expect, it } from 'vitest';
import type { OrderType, TimeInForce } from '../../../subgraphs/trading/rules/order-entry.ts';
import { checkManual, isForNow, routedVenue } from '../../../subgraphs/trading/rules/order-execution.ts';
import { refusal } from './refusal.ts';

const TYPES: OrderType[] = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'];
const TIMES: TimeInForce[] = ['gtc', 'ioc', 'fok', 'day'];
const KINDS = TYPES.flatMap((orderType) => TIMES.map((timeInForce) => ({ orderType, timeInForce })));

describe('what the graph carries out itself', () => {
  it.each(KINDS)('$orderType, $timeInForce', ({ orderType, timeInForce }) => {
    const isTaken = ['market', 'limit', 'stop'].includes(orderType) && timeInForce !== 'day';
    const message = refusal(() => routedVenue({ orderType, timeInForce, venue: null }));
    expect(message === null).toBe(isTaken);
    if (isTaken) expect(routedVenue({ orderType, timeInForce, venue: 'exchange' })).toBe('exchange');
  });

  it('goes to the exchange of the graph and nowhere else', () => {
    expect(refusal(() => routedVenue({ orderType: 'market', timeInForce: 'gtc', venue: 'okx' }))).toMatch(
      'A ROUTED order goes to "exchange", but venue is "okx".',
    );
  });

  it('is nobody else’s to move', () => {
    expect(refusal(() => checkManual({ execution: 'manual' }))).toBeNull();
    expect(refusal(() => checkManual({ execution: 'routed' }))).toMatch('The order is ROUTED');
  });
});

it('an order is for now when it neither rests nor waits', () => {
  const forNow = KINDS.filter(isForNow).map(({ orderType, timeInForce }) => `${orderType} ${timeInForce}`);
  expect(forNow).toEqual(['market gtc', 'market ioc', 'market fok', 'market day', 'limit ioc', 'limit fok']);
});
