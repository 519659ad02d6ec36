/** Placing an order: it is checked, matched against the book, and what is left of it rests or expires. */
import { beforehand, type CommandPayload, command } from '../../platform/command.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { Refusal, refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context, Tx } from './context.ts';
import type { PlaceExchangeOrderInput } from './generated/resolvers.ts';
import { instrumentRules } from './instrument-rules.ts';
import { type LockedBook, lockAccountAndBook } from './locks.ts';
import { MATCH_LIMIT, openPurses, readMakers } from './market-lock.ts';
import { checkAccount, checkInTime, findRepeat, type IncomingOrder, marketOf, readOrder } from './order-intake.ts';
import { execute, type Filled, type Maker, type Market } from './rules/execution.ts';
import { conclude, type ExpiryReason, type Fill, match } from './rules/matching.ts';
import { averagePrice, smaller, ZERO } from './rules/money.ts';
import { checkInstrument, checkValue, type InstrumentRules, type OrderTerms, readTerms } from './rules/order-entry.ts';
import type { OrderStatus } from './rules/order-lifecycle.ts';
import type { Purses } from './rules/purses.ts';
import { reserveFor } from './rules/reserve.ts';
import { costOf, type Movement, release } from './rules/settlement.ts';
import { isTriggered } from './rules/stops.ts';
import { runTriggeredStops } from './stop-orders.ts';
import { type NewOrder, write } from './writes.ts';

export type OrderPayload = CommandPayload<{ orderId: string }>;

interface Placed {
  orderId: string;
  /** The symbol in which STOP orders may wait for their execution now, where some may. */
  triggeredIn: string | null;
}

/** Places the order in one transaction; STOP orders that its trades trigger are executed after it, each in its own. */
export async function placeExchangeOrder(context: Context, input: PlaceExchangeOrderInput): Promise<OrderPayload> {
  const rules = await beforehand(context.domain, async () =>
    instrumentRules(context.graph, normaliseSymbol(input.symbol)),
  );
  const payload = await command<Context['prisma'], Placed>(context, 'placeExchangeOrder', input, (tx) =>
    place(tx, context, input, rules),
  );
  if (payload.triggeredIn) await runTriggeredStops(context, payload.triggeredIn);
  return payload;
}

async function place(
  tx: Tx,
  context: Context,
  input: PlaceExchangeOrderInput,
  rules: () => InstrumentRules,
): Promise<Placed> {
  const market = marketOf(input.symbol);
  const [gate, makers] = await Promise.all([
    lockAccountAndBook(tx, input.accountId, market.symbol),
    readMakersOf(tx, market, input),
  ]);
  const order = readOrder(gate, input);
  const { orderId } = order;
  const repeated = await findRepeat(tx, order, market);
  if (repeated !== null) return { orderId: repeated, triggeredIn: null };
  await checkInTime(tx, gate, input.notAfter);
  checkAccount(gate);
  checkInstrument(market.symbol, rules(), order);
  checkValue(order, order.rates);
  const stopsWait =
    order.type === 'STOP'
      ? await holdStop(tx, context, order, market, gate)
      : await matchOrder(tx, context, order, market, gate, makers);
  return { orderId, triggeredIn: stopsWait ? market.symbol : null };
}

/** What the order may meet, asked for behind the lock of the book; nothing where it is no order that is matched. */
async function readMakersOf(tx: Tx, market: Market, input: PlaceExchangeOrderInput): Promise<Maker[]> {
  const terms = termsOf(input);
  return terms && terms.type !== 'STOP' ? readMakers(tx, market, { ...terms, limit: terms.price }) : [];
}

/** Null where the input is no order: that is said once its account is known. */
function termsOf(input: PlaceExchangeOrderInput): OrderTerms | null {
  try {
    return readTerms(input);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Whether a STOP order was triggered. */
async function matchOrder(
  tx: Tx,
  { traceId }: Context,
  order: IncomingOrder,
  market: Market,
  book: LockedBook,
  makers: readonly Maker[],
): Promise<boolean> {
  const incoming = { ...order, limit: order.price };
  const matched = match(incoming, makers.slice(0, MATCH_LIMIT));
  if (matched.end === 'BOOK_EMPTY' && makers.length > MATCH_LIMIT) throw tooManyMatches();
  const { status, fills, expiryReason } = conclude(order, matched);
  const purses = await openPurses(tx, market, order.accountId, accountsOf(fills));
  checkFunds(order, market, purses, fills);

  const executed = execute(market, order, fills, purses, () => crypto.randomUUID());
  const rests = status === 'OPEN' || status === 'PARTIAL';
  const lock = rests ? lockFor(order, market, purses, executed.taker) : [];
  const reserved = lock[0]?.amount ?? ZERO;
  const placed = newRow(order, market, book, { status, ...executed.taker, reserved, expiryReason });
  const postings = [...executed.postings, ...posting(lock)];
  const { trades, makers: changes } = executed;
  return write(tx, { at: book.at, traceId, placed, changes, traded: { market, trades }, postings, purses });
}

/** Whether the order is triggered already. */
async function holdStop(
  tx: Tx,
  { traceId }: Context,
  order: IncomingOrder,
  market: Market,
  book: LockedBook,
): Promise<boolean> {
  const purses = await openPurses(tx, market, order.accountId, []);
  checkFunds(order, market, purses, []);
  const unfilled = { filledQuantity: ZERO, filledNotional: ZERO };
  const lock = lockFor(order, market, purses, unfilled);
  const triggered = order.stopPrice !== null && isTriggered({ ...order, stopPrice: order.stopPrice }, book.lastPrice);
  const state = { status: 'PENDING' as const, ...unfilled, reserved: lock[0]?.amount ?? ZERO, expiryReason: null };
  const placed = { ...newRow(order, market, book, state), triggered_at: triggered ? book.at : null };
  await write(tx, { at: book.at, traceId, placed, postings: posting(lock), purses });
  return triggered;
}

function tooManyMatches(): Refusal {
  return refuse.validation(`The order would meet more than ${MATCH_LIMIT} resting orders. Place it in parts.`, [
    'input',
    'quantity',
  ]);
}

function accountsOf(fills: readonly Fill[]): string[] {
  return fills.map(({ maker }) => maker.accountId);
}

/** The asset that the order gives. */
function paidAsset(order: IncomingOrder, market: Market): string {
  return order.side === 'BUY' ? market.quote : market.base;
}

/** Passes when the account has available what the order may cost. */
function checkFunds(order: IncomingOrder, market: Market, purses: Purses, fills: readonly Fill<Maker>[]): void {
  const required = order.type === 'MARKET' ? costOfMarket(order, fills) : reserveFor(order, order.rates);
  const asset = paidAsset(order, market);
  const { available } = purses.of(order.accountId, asset);
  if (available.lt(required)) throw refuse.insufficientFunds(asset, available, required, ['input', 'quantity']);
}

function costOfMarket(order: IncomingOrder, fills: readonly Fill<Maker>[]): Decimal {
  if (order.side === 'SELL') return order.quantity;
  const priced = fills.map(({ maker, quantity }) => ({ quantity, price: maker.price }));
  return costOf(priced, order.rates.taker);
}

/** Sets aside what the rest of the order needs; the account has it, but for what roundings of its fills took. */
function lockFor(order: IncomingOrder, market: Market, purses: Purses, { filledQuantity }: Filled): Movement[] {
  const asset = paidAsset(order, market);
  const needed = reserveFor({ ...order, quantity: order.quantity.minus(filledQuantity) }, order.rates);
  const reserved = smaller(needed, purses.of(order.accountId, asset).available);
  const movements = release(order, asset, reserved.neg());
  purses.apply(movements);
  return movements;
}

function posting(movements: readonly Movement[]) {
  return movements.length > 0 ? [{ postingId: crypto.randomUUID(), movements }] : [];
}

interface State extends Filled {
  status: OrderStatus;
  reserved: Decimal;
  expiryReason: ExpiryReason | null;
}

function newRow(order: IncomingOrder, market: Market, book: LockedBook, state: State): NewOrder {
  return {
    order_id: order.orderId,
    account_id: order.accountId,
    client_order_id: order.clientOrderId,
    symbol: market.symbol,
    sequence: String(book.sequence),
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
    reserved_asset: paidAsset(order, market),
    reserved_amount: state.reserved,
    maker_fee_rate: order.rates.maker,
    taker_fee_rate: order.rates.taker,
    expiry_reason: state.expiryReason,
    metadata: order.metadata,
    filled_at: state.status === 'FILLED' ? book.at : null,
    created_at: book.at,
  };
}
