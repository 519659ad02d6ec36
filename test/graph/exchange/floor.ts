/** A trading floor for the tests: accounts with money, orders in a line each, and answers as plain values. */
import { expect } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

export const UNKNOWN_ID = '00000000-0000-4000-8000-0000000000ff';
export const HOUSE = 'ffffffff-ffff-4fff-bfff-ffffffffff01';
export const EXTERNAL = 'ffffffff-ffff-4fff-bfff-ffffffffff02';

/** The data of a query that must have no errors. */
export async function ask(graph: TestGraph, query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await graph.run(query, { ...variables });
  expect(errors).toBeUndefined();
  return data;
}

/** Message and code of the one error of a query that must have one. */
export async function fault(graph: TestGraph, query: string, variables: object = {}) {
  const { errors = [] } = await graph.run(query, { ...variables });
  expect(errors).toHaveLength(1);
  return { message: errors[0]?.message, code: errors[0]?.extensions.code };
}

const ERRORS = `errors { __typename code message path
  ... on InvalidTransition { from to allowed } ... on NotFound { entity id } ... on Conflict { currentVersion }
  ... on InsufficientFunds { asset available required } ... on IdempotencyConflict { key }
  ... on DomainUnavailable { domain } }`;

/** The payload of a mutation, refusals and all. */
export async function send(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation Send($input: ${type}!) { ${name}(input: $input) { ${selection} ${ERRORS} } }`;
  return (await ask(graph, document, { input }))[name];
}

/** What a command that must succeed selected. */
export async function done(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const { errors, ...payload } = await send(graph, name, input, selection);
  expect(errors).toEqual([]);
  return payload;
}

/** The one refusal of a command that must be refused. */
export async function refused(graph: TestGraph, name: string, input: object): Promise<Data> {
  const { errors } = await send(graph, name, input);
  expect(errors).toHaveLength(1);
  return errors[0];
}

/** Makes an instrument known and active. */
export async function list(graph: TestGraph, symbol: string, rules: object = {}): Promise<void> {
  await done(graph, 'createInstrument', { symbol, ...rules });
}

let clients = 0;

/** An account of a client of its own, with what it is given. */
export async function open(graph: TestGraph, money: Record<string, string> = {}, input: object = {}): Promise<string> {
  const clientId = `client-${++clients}`;
  const { account } = await done(graph, 'createExchangeAccount', { clientId, ...input }, 'account { accountId }');
  const { accountId } = account;
  for (const [asset, amount] of Object.entries(money)) await done(graph, 'deposit', { accountId, asset, amount });
  return accountId;
}

const ORDER = 'orderId status filledQuantity remainingQuantity averagePrice reservedAmount expiryReason rejectReason';

export interface Order {
  orderId: string;
  status: string;
  filledQuantity: string;
  remainingQuantity: string;
  averagePrice: string | null;
  reservedAmount: string;
  expiryReason: string | null;
  rejectReason: string | null;
}

export interface OrderText {
  symbol?: string;
  timeInForce?: string;
  clientOrderId?: string;
  idempotencyKey?: string;
  metadata?: object;
}

/** The input of "buy 0.5 @ 100" (limit), "sell 2 stop 90" or "buy 1" (market), in BTC-USD unless it says otherwise. */
export function orderInput(accountId: string, words: string, more: OrderText = {}): object {
  const [side, quantity, kind, price] = words.split(' ');
  const terms =
    kind === '@' ? { type: 'LIMIT', price } : kind === 'stop' ? { type: 'STOP', stopPrice: price } : { type: 'MARKET' };
  return { accountId, symbol: 'BTC-USD', side: side?.toUpperCase(), quantity, ...terms, ...more };
}

/** Places an order and gives it as it is after matching. */
export async function place(graph: TestGraph, accountId: string, words: string, more: OrderText = {}): Promise<Order> {
  const input = orderInput(accountId, words, more);
  return (await done(graph, 'placeExchangeOrder', input, `order { ${ORDER} }`)).order;
}

/** The refusal of an order that must be refused. */
export function refusedOrder(graph: TestGraph, accountId: string, words: string, more: OrderText = {}): Promise<Data> {
  return refused(graph, 'placeExchangeOrder', orderInput(accountId, words, more));
}

/** The order as it is now. */
export async function orderNow(graph: TestGraph, orderId: string): Promise<Order> {
  const query = `query Order($id: ID!) { order: exchangeOrder(id: $id) { ${ORDER} } }`;
  return (await ask(graph, query, { id: orderId })).order;
}

/** What the account holds, as "available + locked" by asset: { USD: "900 + 100" }. */
export async function holdings(graph: TestGraph, accountId: string): Promise<Record<string, string>> {
  const query = `query Holdings($id: ID!) {
    account: exchangeAccount(id: $id) { balances { asset { code } available locked } } }`;
  const { account } = await ask(graph, query, { id: accountId });
  return Object.fromEntries(
    account.balances.map((balance: Data) => [balance.asset.code, `${balance.available} + ${balance.locked}`]),
  );
}

/** The book as "price: quantity (orders)" lines, best first. */
export async function book(graph: TestGraph, symbol = 'BTC-USD'): Promise<{ bids: string[]; asks: string[] }> {
  const levels = 'price quantity orderCount';
  const { book: found } = await ask(
    graph,
    `query Book($symbol: String!) { book: orderBook(symbol: $symbol) { bids { ${levels} } asks { ${levels} } } }`,
    { symbol },
  );
  const written = (side: Data[]) => side.map((level) => `${level.price}: ${level.quantity} (${level.orderCount})`);
  return { bids: written(found.bids), asks: written(found.asks) };
}
