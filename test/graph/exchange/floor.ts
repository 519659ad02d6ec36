/** A trading floor for the tests: accounts with money, orders in a line each, and answers as plain values. */
import { expect } from 'vitest';
import type { Domain } from '../../../platform/domains.ts';
import type { TestGraph } from '../../support/graph.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

export const UNKNOWN_ID = '00000000-0000-4000-8000-0000000000ff';
export const HOUSE = 'ffffffff-ffff-4fff-bfff-ffffffffff01';
export const EXTERNAL = 'ffffffff-ffff-4fff-bfff-ffffffffff02';

/** The data of a query that must have no errors. */
export async function ask(
  graph: TestGraph,
  query: string,
  variables: object = {},
  domain: Domain = 'exchange',
): Promise<Data> {
  const { data, errors } = await graph.subgraph(domain, query, { ...variables });
  expect(errors).toBeUndefined();
  return data;
}

/** Message and code of the one error of a query that must have one. */
export async function fault(graph: TestGraph, query: string, variables: object = {}) {
  const { errors = [] } = await graph.subgraph('exchange', query, { ...variables });
  expect(errors).toHaveLength(1);
  return { message: errors[0]?.message, code: errors[0]?.extensions.code };
}

const ERRORS = `errors { __typename code message path
  ... on InvalidTransition { from to allowed } ... on NotFound { entity id } ... on Conflict { currentVersion }
  ... on InsufficientFunds { asset available required } ... on IdempotencyConflict { key }
  ... on DomainUnavailable { domain } }`;

/** The payload of a mutation, refusals and all. */
export async function send(
  graph: TestGraph,
  name: string,
  input: object,
  selection = '',
  domain: Domain = 'exchange',
): Promise<Data> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation Send($input: ${type}!) { ${name}(input: $input) { ${selection} ${ERRORS} } }`;
  return (await ask(graph, document, { input }, domain))[name];
}

/** What a command that must succeed selected. */
export async function done(
  graph: TestGraph,
  name: string,
  input: object,
  selection = '',
  domain: Domain = 'exchange',
): Promise<Data> {
  const { errors, ...payload } = await send(graph, name, input, selection, domain);
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
  await done(graph, 'createInstrument', { symbol, ...rules }, '', 'market-data');
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

export const ORDER = `order { orderId status filledQuantity remainingQuantity averagePrice reservedAmount expiryReason }`;

interface Order {
  orderId: string;
  status: string;
  filledQuantity: string;
  remainingQuantity: string;
  averagePrice: string | null;
  reservedAmount: string;
  expiryReason: string | null;
}

export interface OrderText {
  symbol?: string;
  timeInForce?: string;
  stopPrice?: string;
  clientOrderId?: string;
  idempotencyKey?: string;
}

function orderInput(accountId: string, words: string, more: OrderText): object {
  const [side, quantity, at, price] = words.split(' ');
  const kind =
    at === '@' ? { type: 'LIMIT', price } : at === 'stop' ? { type: 'STOP', stopPrice: price } : { type: 'MARKET' };
  return { accountId, symbol: 'BTC-USD', side: side?.toUpperCase(), quantity, ...kind, ...more };
}

/** Places "buy 0.5 @ 100" (limit), "sell 2 stop 90" or "buy 1" (market) and gives the order after matching. */
export async function place(graph: TestGraph, accountId: string, words: string, more: OrderText = {}): Promise<Order> {
  return (await done(graph, 'placeExchangeOrder', orderInput(accountId, words, more), ORDER)).order;
}

/** The refusal of an order that must be refused. */
export function refusedOrder(graph: TestGraph, accountId: string, words: string, more: OrderText = {}): Promise<Data> {
  return refused(graph, 'placeExchangeOrder', orderInput(accountId, words, more));
}

/** The order as it is now. */
export async function orderNow(graph: TestGraph, orderId: string): Promise<Order> {
  const query = `query Order($id: ID!) { order: exchangeOrder(id: $id) { ${ORDER.slice(7)} }`;
  return (await ask(graph, query, { id: orderId })).order;
}

/** What the account holds, as "available+locked" by asset: { USD: "900+100" }. */
export async function holdings(graph: TestGraph, accountId: string): Promise<Record<string, string>> {
  const query = `query Holdings($id: ID!) { account: exchangeAccount(id: $id) { balances { asset { code } available locked } } }`;
  const { account } = await ask(graph, query, { id: accountId });
  return Object.fromEntries(
    account.balances.map((balance: Data) => [balance.asset.code, `${balance.available}+${balance.locked}`]),
  );
}
