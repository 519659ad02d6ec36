/** Moving what is over and old into the archives (domain.md §1.13). Rows that somebody works with are left for next time. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import type { Context, Tx } from '../context.ts';
import { ACTIVE_ORDER_STATUSES, ORDER_TRANSITIONS } from '../rules/order-lifecycle.ts';

interface ArchiveInput {
  olderThanDays?: number;
  limit?: number;
  idempotencyKey?: string | null | undefined;
}

export type ArchivedOrders = CommandPayload<{
  archivedOrderCount: number;
  archivedTradeCount: number;
  hasMore: boolean;
}>;
export type ArchivedTrades = CommandPayload<{ archivedTradeCount: number; hasMore: boolean }>;
export type ArchivedPositions = CommandPayload<{ archivedPositionCount: number; hasMore: boolean }>;

/** How long things are kept where they are worked with (domain.md §1.13). */
const RETENTION_DAYS = { orders: 90, trades: 365, positions: 180 };

const DEFAULT_ROWS = 1_000;

/** Longer than anything is old: a hundred years. */
const DAYS_LIMIT = 36_500;

/** Rows a command moves: some seconds of one transaction. */
const ROW_LIMIT = 5_000;

/** Orders that have ended; written out, so that the partial index serves. */
const hasEnded: Sql = raw(
  `orders.status in (${Object.keys(ORDER_TRANSITIONS)
    .filter((status) => !(ACTIVE_ORDER_STATUSES as string[]).includes(status))
    .map((status) => `'${status}'`)
    .join(', ')})`,
);

/** Orders that ended so long ago, and their executions with them: an execution never stays without its order. */
export function archiveOrders(context: Context, input: ArchiveInput): Promise<ArchivedOrders> {
  return command(context, 'archiveOrders', input, async (tx) => {
    const { limit, before } = readInput(context, input, RETENTION_DAYS.orders);
    const { keys, hasMore } = await choose(
      tx,
      limit,
      sql`select order_id as key from orders where ${hasEnded} and created_at < ${before} and updated_at < ${before}
           order by created_at, order_id limit ${limit + 1} for update skip locked`,
    );
    const trades = await tx.$queryRaw<{ key: string }[]>(
      sql`select trade_id as key from trades where order_id = any(${keys}::text[])`,
    );
    const archivedTradeCount = await move(
      tx,
      'trades',
      'trade_id',
      trades.map(({ key }) => key),
    );
    const archivedOrderCount = await move(tx, 'orders', 'order_id', keys);
    return { archivedOrderCount, archivedTradeCount, hasMore };
  });
}

/** Executions of so long ago whose order has ended: of one that lives more may come, and repeats of these. */
export function archiveTrades(context: Context, input: ArchiveInput): Promise<ArchivedTrades> {
  return command(context, 'archiveTrades', input, async (tx) => {
    const { limit, before } = readInput(context, input, RETENTION_DAYS.trades);
    const { keys, hasMore } = await choose(
      tx,
      limit,
      sql`select trade_id as key from trades join orders using (order_id)
           where ${hasEnded} and executed_at < ${before}
           order by executed_at, trade_id limit ${limit + 1} for update of trades skip locked`,
    );
    return { archivedTradeCount: await move(tx, 'trades', 'trade_id', keys), hasMore };
  });
}

/** Positions that were closed so long ago. */
export function archivePositions(context: Context, input: ArchiveInput): Promise<ArchivedPositions> {
  return command(context, 'archivePositions', input, async (tx) => {
    const { limit, before } = readInput(context, input, RETENTION_DAYS.positions);
    const { keys, hasMore } = await choose(
      tx,
      limit,
      sql`select position_id as key from positions where closed_at is not null and closed_at < ${before}
           order by closed_at, position_id limit ${limit + 1} for update skip locked`,
    );
    return { archivedPositionCount: await move(tx, 'positions', 'position_id', keys), hasMore };
  });
}

function readInput(context: Context, input: ArchiveInput, retentionDays: number): { limit: number; before: Sql } {
  const { olderThanDays = retentionDays, limit = DEFAULT_ROWS } = input;
  between('olderThanDays', olderThanDays, DAYS_LIMIT);
  between('limit', limit, ROW_LIMIT);
  const before = sql`(${context.now().toISOString()}::timestamptz - make_interval(days => ${olderThanDays}::int))`;
  return { limit, before };
}

function between(field: string, value: number, most: number): void {
  if (value >= 1 && value <= most) return;
  throw refuse.validation(`${field} must be from 1 to ${most}, but got ${value}.`, ['input', field]);
}

/** The keys that are due; the statement locks one more, which tells whether there are more. */
async function choose(tx: Tx, limit: number, statement: Sql): Promise<{ keys: string[]; hasMore: boolean }> {
  const rows = await tx.$queryRaw<{ key: string }[]>(statement);
  return { keys: rows.slice(0, limit).map(({ key }) => key), hasMore: rows.length > limit };
}

async function move(tx: Tx, table: string, column: string, keys: string[]): Promise<number> {
  const [row] = await tx.$queryRaw<{ moved: number }[]>(
    sql`select move_to_archive(${table}::text::regclass, ${column}, ${keys}::text[]) as moved`,
  );
  return row?.moved ?? 0;
}
