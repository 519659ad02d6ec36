/** What the exchange runs beside its requests: the lines in which orders wait for their books. */
import { OrderLines } from './order-lines.ts';

export interface ExchangeService {
  orders: OrderLines;
  stop(): Promise<void>;
}

export function startExchange(): ExchangeService {
  return { orders: new OrderLines(), stop: async () => {} };
}
