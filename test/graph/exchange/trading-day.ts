/** A small trading day, the same for every test that reads: two clients, a sub-account, ten orders, two matches. */
import type { TestGraph } from '../../support/graph.ts';
import { done, list, open, place } from './floor.ts';

export const CLIENT = { ann: 'reads-ann', bob: 'reads-bob' };

export interface TradingDay {
  ann: string;
  bob: string;
  /** Ann's sub-account. */
  sub: string;
  /** Ids of the orders by their names here. */
  placed: Record<string, string>;
  /** An instant after the matches, before the orders that rest. */
  middle: string;
  nameOf(orderId: string): string;
}

export async function tradeForADay(graph: TestGraph): Promise<TradingDay> {
  await list(graph, 'BTC-USD', { tickSize: '0.01' });
  await list(graph, 'ETH-USD');
  const ann = await open(graph, { USD: '10000', BTC: '10' }, { clientId: CLIENT.ann });
  const bob = await open(graph, { USD: '10000', BTC: '10', ETH: '100' }, { clientId: CLIENT.bob, type: 'MARGIN' });
  const made = await done(graph, 'createSubAccount', { parentAccountId: ann, name: 'desk' }, 'account { accountId }');
  const sub: string = made.account.accountId;
  await done(graph, 'deposit', { accountId: sub, asset: 'USD', amount: '500', reference: 'wire 1' });
  await done(graph, 'setKycStatus', { accountId: bob, status: 'APPROVED' });

  const placed: Record<string, string> = {};
  const order = async (name: string, accountId: string, words: string, more = {}) => {
    placed[name] = (await place(graph, accountId, words, more)).orderId;
  };
  await order('ask', bob, 'sell 1 @ 100');
  await order('partly', bob, 'sell 2 @ 101');
  await order('taker', ann, 'buy 2 @ 101'); // meets 1 @ 100 and 1 @ 101
  const now = `select to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`;
  const middle: string = (await graph.sql('exchange', now))[0].at;
  await order('bid', sub, 'buy 3 @ 99', { clientOrderId: 'mine' });
  await order('bid too', ann, 'buy 1 @ 99');
  await order('low', ann, 'buy 4 @ 90');
  await order('stop', ann, 'sell 1 stop 50');
  await order('eth', bob, 'sell 5 @ 10', { symbol: 'ETH-USD' });
  await order('ioc', ann, 'buy 1 @ 5', { symbol: 'ETH-USD', timeInForce: 'IOC' });
  await order('gone', ann, 'buy 1 @ 1');
  await done(graph, 'cancelExchangeOrder', { orderId: placed.gone });
  const nameOf = (id: string) => Object.entries(placed).find(([, orderId]) => orderId === id)?.[0] ?? id;
  return { ann, bob, sub, placed, middle, nameOf };
}
