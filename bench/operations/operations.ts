/** The operations that are measured: each as a document with variables that differ from call to call. */
import { randomUUID } from 'node:crypto';
import type { Data } from './clients.ts';
import { manualOrder, type Stock } from './stock.ts';

export interface Operation {
  title: string;
  /** What the nth client sends next. */
  request(client: number): { document: string; variables: object };
  /** Throws when the answer is not what was asked for. */
  check(data: Data): void;
}

const ROWS = 1_000;
const of = (items: readonly string[], client: number) => items[client] as string;

export function reads({ accountIds, strategyIds, orderIds, symbol }: Stock): Operation[] {
  return [
    query('an order by id', 'tradingOrder(id: $id) { orderId status filledQuantity }', orderIds),
    query('a strategy by id', 'strategy(id: $id) { strategyId status totalPnl }', strategyIds),
    query(
      'an account with its balances',
      'exchangeAccount(id: $id) { accountId balances { available locked } }',
      accountIds,
    ),
    query('the latest price', 'instrument(symbol: $id) { symbol ticker { lastPrice } }', [symbol]),
    query('the order book', 'orderBook(symbol: $id) { bids { price quantity } asks { price quantity } }', [symbol]),
    query(
      'a portfolio over three domains',
      'portfolio(accountId: $id) { totalMarketValue positions { nodes { quantity instrument { ticker { lastPrice } } } } }',
      accountIds,
    ),
  ];
}

export function writes({ accountIds, strategyIds, orderIds, symbol }: Stock): Operation[] {
  const limit = { symbol, side: 'BUY', type: 'LIMIT', price: '1', quantity: '1' };
  return [
    mutation('place a trading order', 'placeOrder', (client) =>
      manualOrder(of(strategyIds, client), { quantity: '1' }),
    ),
    mutation('record a fill', 'recordFill', (client) => ({
      orderId: of(orderIds, client),
      venue: 'bench',
      exchangeTradeId: randomUUID(),
      quantity: '0.00000001',
      price: '100',
      executedAt: new Date().toISOString(),
    })),
    mutation('place an exchange order that rests', 'placeExchangeOrder', (client) => ({
      ...limit,
      accountId: of(accountIds, client),
    })),
    mutation('deposit', 'deposit', (client) => ({ accountId: of(accountIds, client), asset: 'USD', amount: '1' })),
    mutation('ingest one price', 'ingestPrices', (client) => ({ prices: [price(symbol, `client-${client}`, 0)] })),
  ];
}

export function bulk({ symbol }: Stock): Operation[] {
  let minute = 0;
  const candles = () =>
    Array.from({ length: ROWS }, () => {
      const startTime = new Date(Date.UTC(2020, 0, 1) + minute++ * 60_000).toISOString();
      return { symbol, interval: 'M1', startTime, open: '100', high: '110', low: '90', close: '105', volume: '1' };
    });
  const candlesFrom = (half: number) =>
    `half${half}: candles(interval: M1, from: "2020-01-0${half + 1}T00:00:00Z", first: 500) { nodes { startTime close } }`;
  return [
    mutation('ingest 1,000 prices', 'ingestPrices', () => ({
      prices: Array.from({ length: ROWS }, (_, index) => price(symbol, 'bulk', index)),
    })),
    mutation('ingest 1,000 candles', 'ingestCandles', () => ({ candles: candles() })),
    query('read 1,000 candles', `instrument(symbol: $id) { symbol ${candlesFrom(0)} ${candlesFrom(1)} }`, [symbol]),
  ];
}

let ticks = 0;

/** Each tick is a microsecond older than the one before, so that none is known. */
function price(symbol: string, source: string, index: number): object {
  const micros = String(1_000_000 - (ticks++ % 1_000_000) - 1).padStart(6, '0');
  const second = new Date(Date.now() - 1_000).toISOString().slice(0, 19);
  return { symbol, source, timestamp: `${second}.${micros}Z`, price: (100 + (index % 10)).toString() };
}

function query(title: string, selection: string, ids: readonly string[]): Operation {
  const argument = selection.includes('symbol: $id') ? 'String' : 'ID';
  const document = `query($id: ${argument}!) { ${selection} }`;
  return {
    title,
    request: (client) => ({ document, variables: { id: ids[client % ids.length] } }),
    check(data) {
      for (const [field, value] of Object.entries(data)) if (value === null) throw new Error(`${field} is null`);
    },
  };
}

function mutation(title: string, name: string, input: (client: number) => object): Operation {
  const document = `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) {
    ${name}(input: $input) { readToken errors { message } } }`;
  return {
    title,
    request: (client) => ({ document, variables: { input: input(client) } }),
    check(data) {
      const [error] = data[name].errors;
      if (error) throw new Error(`${name}: ${error.message}`);
    },
  };
}
