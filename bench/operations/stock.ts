/** What the operations work on: an instrument, and for each client an account, a strategy, an order and a position. */
import type { Client, Data } from './clients.ts';

export interface Stock {
  symbol: string;
  accountIds: string[];
  strategyIds: string[];
  /** An order of each strategy that has been filled a little. */
  orderIds: string[];
}

export const SYMBOL = 'BTC-USD';
const SYMBOLS = [SYMBOL, 'ETH-USD'];

/** Sends a command; throws when it is refused. */
export async function command(client: Client, name: string, input: object, selection = ''): Promise<Data> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation($input: ${type}!) { ${name}(input: $input) { ${selection} errors { message } } }`;
  const payload = (await client.ask(document, { input }))[name];
  if (payload.errors.length > 0) throw new Error(`${name}: ${payload.errors[0].message}`);
  return payload;
}

export async function furnish(clients: Client[]): Promise<Stock> {
  const [first] = clients as [Client];
  const timestamp = new Date().toISOString();
  for (const symbol of SYMBOLS) {
    await command(first, 'createInstrument', { symbol, tickSize: '0.01' });
    await command(first, 'ingestPrices', { prices: [{ symbol, source: 'bench', timestamp, price: '100' }] });
  }
  const owners = await Promise.all(clients.map(furnishOne));
  return {
    symbol: SYMBOL,
    accountIds: owners.map(({ accountId }) => accountId),
    strategyIds: owners.map(({ strategyId }) => strategyId),
    orderIds: owners.map(({ orderId }) => orderId),
  };
}

async function furnishOne(client: Client) {
  const opened = await command(
    client,
    'createExchangeAccount',
    { clientId: `client-${client.number}` },
    'account { accountId }',
  );
  const { accountId } = opened.account;
  for (const asset of ['USD', 'BTC']) await command(client, 'deposit', { accountId, asset, amount: '100000000' });
  const strategyId = `bench-${client.number}`;
  const strategy = { strategyId, name: 'Bench', type: 'CUSTOM', accountId, symbols: SYMBOLS, venueIds: ['bench'] };
  await command(client, 'createStrategy', strategy);
  await command(client, 'startStrategy', { strategyId });
  const orderId = `bench-order-${client.number}`;
  await command(client, 'placeOrder', manualOrder(strategyId, { orderId, quantity: '1000000' }));
  await command(client, 'submitOrder', { orderId, venue: 'bench', exchangeOrderId: orderId });
  return { accountId, strategyId, orderId };
}

/** An order that somebody else than the graph's own exchange executes. */
export function manualOrder(strategyId: string, more: object): object {
  return {
    strategyId,
    symbol: SYMBOL,
    side: 'BUY',
    type: 'LIMIT',
    price: '100',
    execution: 'MANUAL',
    venue: 'bench',
    ...more,
  };
}
