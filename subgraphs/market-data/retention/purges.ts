/** Removing the oldest of what was recorded. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { allOf, identifier, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { ofInterval } from '../candles.ts';
import type { Context } from '../context.ts';
import type { CandleInterval } from '../generated/resolvers.ts';
import { checkPurgeWindow } from './rules/purge-window.ts';

export type PurgedPayload = CommandPayload<{ deleted: number; isComplete: boolean }>;

interface PurgeInput {
  before: string;
  symbol?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Rows of a call at most: a second or two, far from the time a statement may take. */
const ROWS_LIMIT = 50_000;

export function purgePriceFeeds(context: Context, input: PurgeInput): Promise<PurgedPayload> {
  return purge(context, 'purgePriceFeeds', input, { table: 'price_feeds', id: 'feed_id', time: 'timestamp' });
}

export function purgeCandles(
  context: Context,
  input: PurgeInput & { interval?: CandleInterval | null | undefined },
): Promise<PurgedPayload> {
  const { interval } = input;
  const where = [raw('is_closed'), ...(interval ? [ofInterval(interval)] : [])];
  return purge(context, 'purgeCandles', input, { table: 'candles', id: 'candle_id', time: 'start_time', where });
}

export function purgeSnapshots(context: Context, input: PurgeInput): Promise<PurgedPayload> {
  return purge(context, 'purgeSnapshots', input, { table: 'market_snapshots', id: 'snapshot_id', time: 'timestamp' });
}

export function purgeOrderBooks(context: Context, input: PurgeInput): Promise<PurgedPayload> {
  const table = { table: 'order_book_snapshots', id: 'snapshot_id', time: 'timestamp' };
  return purge(context, 'purgeOrderBooks', input, table);
}

interface PurgedTable {
  table: string;
  id: string;
  /** Column of the instant that makes a row old. */
  time: string;
  where?: Sql[];
}

function purge(
  context: Context,
  operation: string,
  input: PurgeInput,
  { table, id, time, where = [] }: PurgedTable,
): Promise<PurgedPayload> {
  return command(context, operation, input, async (tx) => {
    checkPurgeWindow(input.before, context.now().getTime());
    const [name, key, instant] = [table, id, time].map(identifier) as [Sql, Sql, Sql];
    const isOld = allOf([
      sql`${instant} < ${input.before}::timestamptz`,
      ...(input.symbol == null ? [] : [sql`symbol = ${normaliseSymbol(input.symbol)}`]),
      ...where,
    ]);
    // The bound outside keeps the planner to the partitions that hold old rows.
    const deleted = await tx.$executeRaw(sql`
      delete from ${name} where ${isOld} and (${key}, ${instant}) in (
        select ${key}, ${instant} from ${name} where ${isOld} order by ${instant} limit ${ROWS_LIMIT})`);
    return { deleted, isComplete: deleted < ROWS_LIMIT };
  });
}
