/** A trading desk for the tests: one strategy, its commands in a line each, and answers as plain values. */
import { expect } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';

export const ACCOUNT = '00000000-0000-4000-8000-000000000001';
/** Headers of a request that reads everything from PostgreSQL. */
export const UNCACHED = { 'cache-control': 'no-cache' };

export const OTHER_ACCOUNT = '00000000-0000-4000-8000-000000000002';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

/** The data of an operation, sent as a client sends it, that must have no errors. */
export async function ask(
  graph: TestGraph,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Promise<Data> {
  const { data, errors } = await graph.run(query, { ...variables }, headers);
  expect(errors).toBeUndefined();
  return data;
}

/** The data of a query to the subgraph alone, as the gateway sends it. */
export async function askTrading(graph: TestGraph, query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await graph.subgraph('trading', query, { ...variables });
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
  ... on IdempotencyConflict { key } ... on LimitBreached { limitId } }`;

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

export interface StrategyFixture {
  strategyId?: string;
  accountId?: string;
  status?: string;
  type?: string;
  symbols?: string[];
  venueIds?: string[];
  maxPositionSize?: string | null;
  createdAt?: string;
  name?: string;
}

let made = 0;

/** A strategy in any state, written as another service would write it. Gives its id. */
export async function strategy(graph: TestGraph, fixture: StrategyFixture = {}): Promise<string> {
  const id = fixture.strategyId ?? `strategy-${String(++made).padStart(4, '0')}`;
  await graph.sql(
    'trading',
    `insert into strategies (strategy_id, name, strategy_type, status, account_id, instruments, venue_ids,
            max_position_size, error_message, started_at, stopped_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'as told', '2026-01-01', '2026-01-02', $9)`,
    [
      id,
      fixture.name ?? id,
      fixture.type ?? 'custom',
      fixture.status ?? 'active',
      fixture.accountId ?? ACCOUNT,
      fixture.symbols ?? ['BTC-USD'],
      fixture.venueIds ?? [],
      fixture.maxPositionSize ?? null,
      fixture.createdAt ?? '2026-01-01T00:00:00Z',
    ],
  );
  return id;
}

export interface OrderFixture {
  orderId?: string;
  symbol?: string;
  side?: 'BUY' | 'SELL';
  quantity?: string;
  /** The state it is brought to by commands. @default SUBMITTED */
  status?: string;
}

/** An order that the test carries out itself, brought to a state by the commands that lead there. Gives its id. */
export async function order(graph: TestGraph, strategyId: string, fixture: OrderFixture = {}): Promise<string> {
  const { symbol = 'BTC-USD', side = 'BUY', quantity = '1', status = 'SUBMITTED' } = fixture;
  const input = { strategyId, symbol, side, quantity, type: 'MARKET', execution: 'MANUAL', orderId: fixture.orderId };
  const { orderId } = (await done(graph, 'placeOrder', input, 'order { orderId }')).order;
  const half = { venue: 'exchange-okx', exchangeTradeId: `half-${orderId}`, price: '100', executedAt: now() };
  const whole = { ...half, exchangeTradeId: `whole-${orderId}`, quantity };
  const paths: Record<string, [string, object][]> = {
    PENDING: [],
    SUBMITTED: [['submitOrder', { venue: 'exchange-okx' }]],
    ACCEPTED: [
      ['submitOrder', { venue: 'exchange-okx' }],
      ['acceptOrder', {}],
    ],
    PARTIALLY_FILLED: [
      ['submitOrder', { venue: 'exchange-okx' }],
      ['recordFill', { ...half, quantity: String(Number(quantity) / 2) }],
    ],
    FILLED: [
      ['submitOrder', { venue: 'exchange-okx' }],
      ['recordFill', whole],
    ],
    CANCELLED: [['cancelOrder', {}]],
    REJECTED: [['rejectOrder', { reason: 'no funds' }]],
    EXPIRED: [
      ['submitOrder', { venue: 'exchange-okx' }],
      ['expireOrder', {}],
    ],
  };
  for (const [name, more] of paths[status] ?? []) await done(graph, name, { orderId, ...more });
  return orderId;
}

/** An instant a venue may report now: the machine's clock. */
export function now(): string {
  return new Date().toISOString();
}

let executions = 0;

/** One execution as recordFill takes it. */
export function execution(orderId: string, quantity: string, price: string, more: object = {}) {
  return {
    orderId,
    quantity,
    price,
    venue: 'exchange-okx',
    exchangeTradeId: `execution-${++executions}`,
    executedAt: now(),
    ...more,
  };
}

/** Buys (positive) or sells (negative) by an order of its own, filled at once. Gives the payload. */
export async function trade(
  graph: TestGraph,
  strategyId: string,
  change: string,
  price: string,
  more: { symbol?: string; commission?: string } = {},
  selection = '',
): Promise<Data> {
  const { symbol = 'BTC-USD', ...fill } = more;
  const quantity = change.replace('-', '');
  const orderId = await order(graph, strategyId, { symbol, quantity, side: change.startsWith('-') ? 'SELL' : 'BUY' });
  return done(graph, 'recordFill', execution(orderId, quantity, price, fill), selection);
}
