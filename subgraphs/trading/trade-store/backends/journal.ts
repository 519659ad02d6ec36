/**
 * Managed trades in PostgreSQL: the journal. A command writes it in its own transaction, so that a trade is stored with the
 * fill, the idempotency record and the change that tells of it, or not at all. Every other backend is a copy of it.
 */
import type { Database } from '../../../../platform/database/database.ts';
import { join, named, raw, type Sql, sql } from '../../../../platform/database/sql.ts';
import { isStorable } from '../../../../platform/texts.ts';
import { OPEN_STATUSES } from '../rules/lifecycle.ts';
import type { ManagedTrade } from '../rules/managed-trade.ts';
import type { TradeBackend } from '../trade-store.ts';
import { canonical, FIELDS, type Field, toTexts } from './fields.ts';

/** Trades that hold something; written out, so that the partial indexes serve. */
export const isOpenTrade: Sql = raw(`status in (${OPEN_STATUSES.map((status) => `'${status}'`).join(', ')})`);

const NEWEST_FIRST = raw('order by entry_time desc, trade_id desc');

/** A row as every source gives it alike: amounts as text, instants in UTC. */
const IMAGE = raw(FIELDS.map((field) => `${shown(field)} as "${field.name}"`).join(', '));

function shown({ column, kind }: Field): string {
  if (kind === 'instant') return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  return kind === 'json' || kind === 'count' ? column : `${column}::text`;
}

/** What PostgreSQL gives a row by itself. */
const GIVEN = new Set(['version', 'created_at', 'updated_at', 'archived_at']);
const WRITTEN = FIELDS.filter(({ column }) => !GIVEN.has(column));
const SQL_TYPES: Record<Field['kind'], string> = {
  text: 'text',
  amount: 'numeric',
  instant: 'timestamptz',
  json: 'jsonb',
  count: 'integer',
};

function values(trade: ManagedTrade): Sql[] {
  const texts = toTexts(trade);
  return WRITTEN.map(({ column, kind }) => {
    const type = column === 'account_id' ? 'uuid' : SQL_TYPES[kind];
    return sql`${texts[column] ?? null}::${raw(type)}`;
  });
}

const COLUMNS = raw(WRITTEN.map(({ column }) => column).join(', '));

/** What can send a statement and give its rows: a transaction of Prisma, or the pool. */
export interface Asking {
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
}

/** The pool, where nothing is to be decided. */
export function asking(db: Pick<Database, 'query'>): Asking {
  return { $queryRaw: <Rows>(statement: Sql) => db.query(statement) as Promise<Rows> };
}

export interface Journal extends TradeBackend {
  /** Open trades that fills have opened for the strategy in the instrument, oldest first. */
  opened(strategyId: string, symbol: string): Promise<ManagedTrade[]>;
  /** The trade that the order is to open, or has opened: the one that has not ended, else the latest. */
  ofOrder(orderId: string): Promise<ManagedTrade | null>;
}

/** The journal as one transaction sees it. What it reads one by one it locks until the transaction ends. */
export function journal(tx: Asking, traceId: string | null): Journal {
  const select = async (where: Sql, name?: string) => {
    const statement = sql`select ${IMAGE} from managed_trades where ${where}`;
    const rows = await tx.$queryRaw<ManagedTrade[]>(name ? named(name, statement) : statement);
    return rows.map(canonical);
  };
  const first = async (where: Sql, name?: string) => (await select(where, name))[0] ?? null;
  return {
    name: 'POSTGRESQL',
    initialize: async () => undefined, // the migration has made the table
    read: async (tradeId) => (isStorable(tradeId) ? first(sql`trade_id = ${tradeId} for no key update`) : null),
    ofOrder: (orderId) =>
      first(
        sql`exchange_order_id = ${orderId} order by archived_at is null desc, entry_time desc limit 1 for no key update`,
        'lock managed trade of order',
      ),
    async write(trade, from) {
      const given = values({ ...trade, traceId });
      const statement =
        from === 0
          ? sql`insert into managed_trades (${COLUMNS}) values (${join(given)})
                on conflict (trade_id) do nothing returning ${IMAGE}`
          : sql`update managed_trades set (${COLUMNS}) = row(${join(given)})
                 where trade_id = ${trade.tradeId} and version = ${from} returning ${IMAGE}`;
      const name = from === 0 ? 'insert managed trade' : 'update managed trade';
      const [stored] = await tx.$queryRaw<ManagedTrade[]>(named(name, statement));
      return stored ? canonical(stored) : null;
    },
    open: (symbol) =>
      select(
        symbol === undefined
          ? sql`${isOpenTrade} ${NEWEST_FIRST}`
          : sql`symbol = ${symbol} and ${isOpenTrade} ${NEWEST_FIRST}`,
      ),
    opened: (strategyId, symbol) =>
      select(
        sql`strategy_id = ${strategyId} and symbol = ${symbol} and exchange_order_id is not null and ${isOpenTrade}
                 order by entry_time, trade_id for no key update`,
        'lock open managed trades',
      ),
    list: (limit, offset) => select(sql`true ${NEWEST_FIRST} limit ${limit} offset ${offset}`),
    async totals() {
      const [totals] = await tx.$queryRaw<{ total: number; open: number; closed: number; totalPnlUsd: string }[]>(
        sql`select count(*)::int as total, count(*) filter (where ${isOpenTrade})::int as open,
                   count(*) filter (where status = 'closed')::int as closed,
                   trim_scale(coalesce(sum(pnl_usd) filter (where status = 'closed'), 0))::text as "totalPnlUsd"
              from managed_trades`,
      );
      return totals as NonNullable<typeof totals>;
    },
  };
}

/** Trades of a page of what replicas hold. */
const PAGE = 1_000;

/**
 * What a replica should hold, page by page: all that has not ended, and what has ended since.
 * @param since RFC 3339
 */
export async function* liveTrades(db: Pick<Database, 'query'>, since: string): AsyncGenerator<ManagedTrade[]> {
  let after = '';
  for (;;) {
    const rows = await db.query<ManagedTrade>(
      sql`select ${IMAGE} from managed_trades
           where trade_id > ${after} and (archived_at is null or updated_at >= ${since}::timestamptz)
           order by trade_id limit ${PAGE}`,
    );
    if (rows.length > 0) yield rows.map(canonical);
    if (rows.length < PAGE) return;
    after = (rows.at(-1) as ManagedTrade).tradeId;
  }
}

/** The trades of those ids that the journal has. */
export async function journalled(db: Pick<Database, 'query'>, tradeIds: readonly string[]): Promise<ManagedTrade[]> {
  const rows = await db.query<ManagedTrade>(
    sql`select ${IMAGE} from managed_trades where trade_id = any(${tradeIds.filter(isStorable)}::text[])`,
  );
  return rows.map(canonical);
}
