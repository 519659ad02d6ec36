/**
 * Placing orders: each is checked, matched against the book, and what is left of it rests or expires. Orders of one book
 * that come while others are being placed are placed together: one lock of the book, one writing of what has become of all.
 */
import { beforehand, type CommandPayload } from '../../platform/command.ts';
import { Refusal } from '../../platform/errors.ts';
import { GoAlone, type GroupedCall } from '../../platform/group-commit.ts';
import type { Context, Tx } from './context.ts';
import type { PlaceExchangeOrderInput } from './generated/resolvers.ts';
import { instrumentRules } from './instrument-rules.ts';
import { type LockedBook, type LockedMarket, lockAccountsAndBook, lockedAccount } from './locks.ts';
import { type Demand, makePurses, openPurses, readMakers } from './market-lock.ts';
import { checkAccount, checkInTime, type KnownOrders, marketOf, readKnownOrders, readOrder } from './order-intake.ts';
import { BookSession, type IncomingOrder, MATCH_LIMIT, type Placed } from './rules/book-session.ts';
import type { Maker, Market } from './rules/execution.ts';
import { averagePrice } from './rules/money.ts';
import { checkInstrument, checkValue, type InstrumentRules, type OrderSide } from './rules/order-entry.ts';
import type { Purse, Purses } from './rules/purses.ts';
import { runTriggeredStops } from './stop-orders.ts';
import { type NewOrder, write } from './writes.ts';

export type OrderPayload = CommandPayload<{ orderId: string }>;

export interface PlacedOrder {
  orderId: string;
  /** The symbol in which STOP orders may wait for their execution now, where some may. */
  triggeredIn: string | null;
}

/** An order that is ready to be placed, or why it is none: that is said once its account is known. */
export interface ReadyOrder {
  input: PlaceExchangeOrderInput;
  market: Market;
  order: IncomingOrder | Refusal;
  rules: () => InstrumentRules;
  traceId: string;
}

/** Places the order, alone or with others; STOP orders that its trades trigger are executed after it, each in its own. */
export async function placeExchangeOrder(context: Context, input: PlaceExchangeOrderInput): Promise<OrderPayload> {
  const payload = await context.service.orders.run(context, input);
  if (payload.triggeredIn) await runTriggeredStops(context, payload.triggeredIn);
  return payload;
}

/** Reads the orders, and asks what market data says of their instruments. */
export function prepareOrders(
  calls: readonly GroupedCall<Context, PlaceExchangeOrderInput>[],
): Promise<(ReadyOrder | Refusal)[]> {
  return Promise.all(
    calls.map(async ({ context, input }) => {
      const market = attempt(() => marketOf(input.symbol));
      if (market instanceof Refusal) return market;
      const rules = await beforehand(context.domain, () => instrumentRules(context.graph, market.symbol));
      return { input, market, order: attempt(() => readOrder(input)), rules, traceId: context.traceId };
    }),
  );
}

function attempt<Value>(work: () => Value): Value | Refusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** An order that keeps every rule, or the id of the one that it repeats. */
type Checked = { order: IncomingOrder; traceId: string; sequence: bigint } | { repeated: string };

/** Places orders of one book, in their order. */
export async function placeOrders(tx: Tx, ready: readonly ReadyOrder[]): Promise<(PlacedOrder | Refusal)[]> {
  const [first] = ready;
  if (!first) return [];
  const { market } = first;
  const orders = ready.flatMap(({ order }) => (order instanceof Refusal ? [] : [order]));
  const ids = ready.map(({ input }) => input.accountId);
  const [locked, known, asks, bids] = await Promise.all([
    lockAccountsAndBook(tx, ids, market.symbol, ready.length),
    readKnownOrders(tx, orders),
    readMakersFor(tx, market, 'BUY', orders),
    readMakersFor(tx, market, 'SELL', orders),
  ]);
  // What rests from now on might be met before what has not been read of a side.
  if (ready.length > 1 && [asks, bids].some(({ length }) => length > MATCH_LIMIT)) throw new GoAlone();

  const firstPlace = (locked.book?.sequence ?? 0n) - BigInt(ready.length - 1);
  const checked = ready.map((one, i) => attempt(() => check(one, locked, known, firstPlace + BigInt(i))));
  const owners = checked.flatMap((one) => ('order' in one ? [one.order.accountId] : []));
  if (!locked.book || owners.length === 0) return unplaced(ready, locked.book, checked.map(repeatOrRefusal));

  const makers = [...asks, ...bids].map(({ accountId }) => accountId);
  const { purses, missing } = await openPurses(tx, market, owners, makers);
  const newId = () => crypto.randomUUID();
  const session = new BookSession({ market, ...locked.book, asks, bids, newId }, purses);
  const results = checked.map((one) =>
    'order' in one ? attempt(() => enter(one, session, market, known)) : repeatOrRefusal(one),
  );
  if (session.placed.length === 0) return unplaced(ready, locked.book, results);
  await makeMissing(tx, missing, session.placed);
  if (await writeSession(tx, first, locked.book, session, purses)) tellOfStops(results, session, market);
  return results;
}

/**
 * The results where no order was placed.
 * @throws GoAlone where the book was made for them: no refused order leaves one, and one alone is rolled back
 */
function unplaced<Result>(ready: readonly ReadyOrder[], book: LockedBook | null, results: readonly Result[]): Result[] {
  if (ready.length > 1 && book?.sequence === BigInt(ready.length)) throw new GoAlone();
  return [...results];
}

/**
 * What comes in on one side meets the other, which is asked for behind the lock of the book; nothing where no order that
 * is matched comes in.
 */
async function readMakersFor(
  tx: Tx,
  market: Market,
  side: OrderSide,
  orders: readonly IncomingOrder[],
): Promise<Maker[]> {
  const coming = orders.filter((order) => order.side === side && order.type !== 'STOP');
  const [first, ...others] = coming.map(({ price: limit, quantity }): Demand => ({ side, limit, quantity }));
  return first ? readMakers(tx, market, others.reduce(together, first)) : [];
}

function together(one: Demand, other: Demand): Demand {
  const { side } = one;
  const quantity = one.quantity.plus(other.quantity);
  if (one.limit === null || other.limit === null) return { side, limit: null, quantity };
  const isWorse = side === 'BUY' ? other.limit.gt(one.limit) : other.limit.lt(one.limit);
  return { side, limit: isWorse ? other.limit : one.limit, quantity };
}

/**
 * Checks what can be said of an order by itself.
 * @throws Refusal of an order that may not be placed
 */
function check(
  { input, market, order, rules, traceId }: ReadyOrder,
  locked: LockedMarket,
  known: KnownOrders,
  sequence: bigint,
): Checked {
  const account = lockedAccount(locked, input.accountId);
  if (order instanceof Refusal) throw order;
  const repeated = known.repeatedBy(order, market);
  if (repeated !== null) return { repeated };
  checkInTime(locked.book as LockedBook, input.notAfter);
  checkAccount(account);
  checkInstrument(market.symbol, rules(), order);
  checkValue(order, order.rates);
  return { order, traceId, sequence };
}

function repeatOrRefusal(checked: Checked | Refusal): PlacedOrder | Refusal {
  if (checked instanceof Refusal) return checked;
  if ('order' in checked) throw new Error('This order is to be placed');
  return { orderId: checked.repeated, triggeredIn: null };
}

/** The order comes into the session, unless it repeats one that has come just before. */
function enter(
  { order, traceId, sequence }: Extract<Checked, { order: IncomingOrder }>,
  session: BookSession,
  market: Market,
  known: KnownOrders,
): PlacedOrder {
  const repeated = known.repeatedBy(order, market);
  if (repeated !== null) return { orderId: repeated, triggeredIn: null };
  session.place(order, sequence, traceId);
  known.add({ ...order, symbol: market.symbol });
  return { orderId: order.orderId, triggeredIn: null };
}

/** Who has placed an order has both balances from then on. */
async function makeMissing(tx: Tx, missing: readonly Purse[], placed: readonly Placed[]): Promise<void> {
  const traces = new Map(placed.map(({ order, traceId }) => [order.accountId, traceId]));
  const made = missing.flatMap((purse) => {
    const traceId = traces.get(purse.accountId);
    return traceId === undefined ? [] : [{ ...purse, traceId }];
  });
  if (made.length > 0) await makePurses(tx, made);
}

/** Whether STOP orders may wait for their execution now. */
async function writeSession(
  tx: Tx,
  { market, traceId }: ReadyOrder,
  { at }: LockedBook,
  { placed, changes, trades, postings, hasTriggered }: BookSession,
  purses: Purses,
): Promise<boolean> {
  const isWaiting = await write(tx, {
    at,
    traceId,
    placed: placed.map((one) => newRow(one, market)),
    changes: [...changes.values()],
    traded: { market, trades },
    postings,
    purses,
  });
  return isWaiting || hasTriggered;
}

/** One of those who placed an order sees to the STOP orders: the last one. */
function tellOfStops(results: readonly (PlacedOrder | Refusal)[], { placed }: BookSession, { symbol }: Market): void {
  const orderId = placed.at(-1)?.order.orderId;
  for (const result of results) {
    if (!(result instanceof Refusal) && result.orderId === orderId) result.triggeredIn = symbol;
  }
}

function newRow({ order, ...state }: Placed, { symbol }: Market): NewOrder {
  return {
    order_id: order.orderId,
    account_id: order.accountId,
    client_order_id: order.clientOrderId,
    symbol,
    sequence: String(state.sequence),
    order_type: order.type,
    side: order.side,
    time_in_force: order.timeInForce,
    quantity: order.quantity,
    price: order.price,
    stop_price: order.stopPrice,
    status: state.status,
    filled_quantity: state.filledQuantity,
    filled_notional: state.filledNotional,
    average_price: averagePrice(state.filledNotional, state.filledQuantity),
    reserved_asset: state.reservedAsset,
    reserved_amount: state.reserved,
    maker_fee_rate: order.rates.maker,
    taker_fee_rate: order.rates.taker,
    expiry_reason: state.expiryReason,
    metadata: order.metadata,
    triggered_at: state.triggeredAt,
    filled_at: state.filledAt,
    trace_id: state.traceId,
    created_at: state.createdAt,
  };
}
