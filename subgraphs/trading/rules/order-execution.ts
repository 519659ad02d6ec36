/** Which orders the graph carries out by itself, and which somebody else does. */
import { refuse } from '../../../platform/errors.ts';
import type { OrderType, TimeInForce } from './order-entry.ts';

export type OrderExecution = 'routed' | 'manual';

/** The name that this graph's exchange has among the venues. */
export const EXCHANGE_VENUE = 'exchange';

const ROUTED_TYPES: readonly OrderType[] = ['market', 'limit', 'stop'];
const ROUTED_TIMES: readonly TimeInForce[] = ['gtc', 'ioc', 'fok'];

/**
 * The venue of an order that is to be routed.
 * @throws Refusal (validation) when the exchange does not take such orders, or another venue is wanted
 */
export function routedVenue(order: { orderType: OrderType; timeInForce: TimeInForce; venue: string | null }): string {
  const { orderType, timeInForce, venue } = order;
  const hint = 'Place it with execution MANUAL, and carry it out yourself.';
  if (!ROUTED_TYPES.includes(orderType)) {
    throw refuse.validation(`The exchange takes no ${orderType.toUpperCase()} orders. ${hint}`, ['input', 'type']);
  }
  if (!ROUTED_TIMES.includes(timeInForce)) {
    const path = ['input', 'timeInForce'];
    throw refuse.validation(`The exchange takes no ${timeInForce.toUpperCase()} orders. ${hint}`, path);
  }
  if (venue !== null && venue !== EXCHANGE_VENUE) {
    throw refuse.validation(`A ROUTED order goes to "${EXCHANGE_VENUE}", but venue is "${venue}". ${hint}`, [
      'input',
      'venue',
    ]);
  }
  return EXCHANGE_VENUE;
}

/** Whether the order is to be executed at once or not at all: sent late, it would meet another market. */
export function isForNow({ orderType, timeInForce }: { orderType: OrderType; timeInForce: TimeInForce }): boolean {
  return orderType === 'market' || (orderType === 'limit' && timeInForce !== 'gtc' && timeInForce !== 'day');
}

/**
 * Passes when somebody else than the graph carries the order out.
 * @throws Refusal (validation) otherwise
 */
export function checkManual({ execution }: { execution: OrderExecution }): void {
  if (execution === 'manual') return;
  throw refuse.validation('The order is ROUTED: the graph itself carries it out and says how it does.', [
    'input',
    'orderId',
  ]);
}
