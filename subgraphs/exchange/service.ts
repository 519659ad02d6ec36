/** What the exchange runs beside its requests: the lines in which orders wait for their books. */
import type { ServiceParts } from '../../platform/subgraph.ts';
import { OrderLines } from './order-lines.ts';

export interface ExchangeService {
  orders: OrderLines;
  stop(): Promise<void>;
}

export function startExchange({ health }: ServiceParts): ExchangeService {
  const orders = new OrderLines();
  health.heed('the placing of orders', () => orders.complaints());
  return { orders, stop: async () => {} };
}
