/**
 * Execution of triggered STOP orders. The transaction whose trades reach a stop price marks the order; each marked order
 * is then executed in a transaction of its own, in the order of triggering, so that locks are taken in the one order.
 * What a crash leaves undone is taken up after the next trade in the symbol.
 */
import { command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import type { Context, Tx } from './context.ts';
import { type LockedBook, type LockedOrder, lockBook, lockOrder } from './locks.ts';
import { lockPurses, readMakers } from './market-lock.ts';
import { marketOf } from './order-intake.ts';
import { type AccountStatus, type KycStatus, tradingBar } from './rules/account-lifecycle.ts';
import { MATCH_LIMIT } from './rules/book-session.ts';
import { execute, type Market } from './rules/execution.ts';
import { conclude, match } from './rules/matching.ts';
import { averagePrice, ZERO } from './rules/money.ts';
import { moveOrder } from './rules/order-lifecycle.ts';
import { worstPrice } from './rules/reserve.ts';
import { release } from './rules/settlement.ts';
import { settings } from './settings.ts';
import { type OrderChange, write } from './writes.ts';

/** Orders that one command executes behind its own at most; the rest is for the next. */
const STOPS_PER_COMMAND = 100;

/** Executes the symbol's triggered STOP orders, those included that are triggered on the way. Never throws. */
export async function runTriggeredStops(context: Context, symbol: string): Promise<void> {
  const market = marketOf(symbol);
  try {
    for (let count = 0; count < STOPS_PER_COMMAND; count++) {
      const { executed } = await command(context, 'executeStop', {}, (tx) => executeNext(tx, context, market));
      if (!executed) return;
    }
    context.log.warn({ symbol }, 'triggered stop orders are left for the next command');
  } catch (error) {
    // The command that triggered them is done and must say so.
    context.log.error({ err: error, symbol }, 'a triggered stop order was not executed');
  }
}

/** Executes the one that was triggered first, if there is one. */
async function executeNext(tx: Tx, { traceId }: Context, market: Market): Promise<{ executed: boolean }> {
  const book = await lockBook(tx, market.symbol);
  const stop = await lockOrder(
    tx,
    sql`where symbol = ${market.symbol} and order_type = 'STOP' and status = 'PENDING' and triggered_at is not null
        order by triggered_at, sequence`,
  );
  if (!stop) return { executed: false };
  const account = await tx.account.findUniqueOrThrow({ where: { accountId: stop.accountId } });
  const rejectReason = tradingBar(account as { status: AccountStatus; kycStatus: KycStatus }, settings);
  if (rejectReason) await rejectStop(tx, traceId, market, book, stop, rejectReason);
  else await executeStop(tx, traceId, market, book, stop);
  return { executed: true };
}

async function executeStop(
  tx: Tx,
  traceId: string,
  market: Market,
  book: LockedBook,
  stop: LockedOrder,
): Promise<void> {
  const incoming = { ...stop, limit: worstPrice({ ...stop, price: null }) };
  const makers = await readMakers(tx, market, incoming);
  const matched = match(incoming, makers.slice(0, MATCH_LIMIT));
  const isTooDeep = matched.end === 'BOOK_EMPTY' && makers.length > MATCH_LIMIT && stop.timeInForce !== 'FOK';
  const { status, fills, expiryReason } = conclude(stop, matched);
  const purses = await lockPurses(tx, market, [stop.accountId, ...fills.map(({ maker }) => maker.accountId)]);
  const unlock = release(stop, stop.reservedAsset, stop.reserved);
  purses.apply(unlock);
  const taker = { ...stop, rates: { maker: stop.makerFeeRate, taker: stop.takerFeeRate } };
  const executed = execute(market, taker, fills, purses, () => crypto.randomUUID());
  const { filledQuantity, filledNotional } = executed.taker;
  const after: OrderChange = {
    ...ended(stop),
    ...executed.taker,
    status: moveOrder(stop.status, status),
    averagePrice: averagePrice(filledNotional, filledQuantity),
    expiryReason: isTooDeep ? 'MATCH_LIMIT' : expiryReason,
  };
  await write(tx, {
    at: book.at,
    traceId,
    changes: [...executed.makers, after],
    traded: { market, trades: executed.trades },
    postings: [{ postingId: crypto.randomUUID(), movements: unlock }, ...executed.postings],
    purses,
  });
}

async function rejectStop(
  tx: Tx,
  traceId: string,
  market: Market,
  book: LockedBook,
  stop: LockedOrder,
  rejectReason: string,
): Promise<void> {
  const purses = await lockPurses(tx, market, [stop.accountId]);
  const movements = release(stop, stop.reservedAsset, stop.reserved);
  purses.apply(movements);
  const changes = [{ ...ended(stop), status: moveOrder(stop.status, 'REJECTED'), rejectReason }];
  const postings = [{ postingId: crypto.randomUUID(), movements }];
  await write(tx, { at: book.at, traceId, changes, postings, purses });
}

/** The order with nothing reserved any more. */
export function ended(order: LockedOrder): Omit<OrderChange, 'status'> {
  const { orderId, version, filledQuantity, filledNotional, averagePrice: average } = order;
  return { orderId, version, filledQuantity, filledNotional, averagePrice: average, reserved: ZERO };
}
