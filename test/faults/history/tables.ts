/**
 * The captured tables that the writers write with plain SQL. Each row carries, in a column of free text, which life of
 * its key it is in and who wrote it last ("7:writer-2-31"), so that no two writes look alike.
 */
import type { TopicName, Write } from './history.ts';

export interface Table {
  topic: TopicName;
  /** Takes keys and the text; gives key, version and value of the rows that were not there before. */
  insert: string;
  /** Takes keys and the writer's part of the text. Absent where rows never change. */
  update?: string;
  remove?: string;
}

export const ACCOUNT = '00000000-0000-4000-8000-0000000000aa';
/** Every row that the writers write belongs to it, and nothing else does. */
export const STRATEGY = 'history';
/** Has the one order that all trades execute, so that no trade keeps an order from being deleted. */
const TRADING_STRATEGY = 'history-trades';

/** The row that is written last, after which nothing comes. */
export const LAST_KEY = 'last';

/** Instruments in which the graph's own commands trade. */
export const GRAPH_INSTRUMENTS = ['GRAPH1-USD', 'GRAPH2-USD'] as const;

/** What must be there before the first writer begins. */
export const PREPARATION = `
  insert into strategies (strategy_id, name, strategy_type, status, account_id, instruments, started_at)
  select id, id, 'custom', 'active', '${ACCOUNT}', '{BTC-USD,${GRAPH_INSTRUMENTS.join()}}', now()
    from unnest(array['${STRATEGY}', '${TRADING_STRATEGY}']) as id;
  insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity)
  values ('executed', '${TRADING_STRATEGY}', '${ACCOUNT}', 'BTC-USD', 'buy', 'market', 1000000)`;

const orders: Table = {
  topic: 'orders',
  insert: `
    insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity, error_message)
    select key, '${STRATEGY}', '${ACCOUNT}', 'BTC-USD', 'buy', 'market', 1, $2 from unnest($1::text[]) as key
    on conflict do nothing returning order_id as key, version, error_message as value`,
  update: `
    update orders set error_message = split_part(error_message, ':', 1) || ':' || $2 where order_id = any($1)
    returning order_id as key, version, error_message as value`,
  remove: `
    delete from orders where order_id = any($1) returning order_id as key, version, error_message as value`,
};

/** A strategy has one open position an instrument, so each key has an instrument of its own. */
const positions: Table = {
  topic: 'positions',
  insert: `
    insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
           current_price, marked_at, opened_at, notes)
    select key, '${STRATEGY}', '${ACCOUNT}', upper(replace(key, '-', '')) || '-USD', 1, 1, 1, now(), now(), $2
      from unnest($1::text[]) as key
    on conflict do nothing returning position_id as key, version, notes as value`,
  update: `
    update positions set notes = split_part(notes, ':', 1) || ':' || $2, current_price = current_price + 1
     where position_id = any($1) returning position_id as key, version, notes as value`,
  remove: 'delete from positions where position_id = any($1) returning position_id as key, version, notes as value',
};

const trades: Table = {
  topic: 'trades',
  insert: `
    insert into trades (trade_id, order_id, strategy_id, account_id, instrument_id, side, quantity, price, realized_pnl,
           execution_venue, exchange_trade_id, executed_at, notes)
    select key, 'executed', '${TRADING_STRATEGY}', '${ACCOUNT}', 'BTC-USD', 'buy', 1, 1, 0, 'venue', key, now(), $2
      from unnest($1::text[]) as key
    on conflict do nothing returning trade_id as key, 1 as version, notes as value`,
};

export const TABLES: Readonly<Record<TopicName, Table>> = { orders, positions, trades };

/** A row as a writer or a reader has it: the graph's items and the log's images name these fields alike. */
export interface Item {
  orderId?: string;
  tradeId?: string;
  positionId?: string;
  version?: number;
  errorMessage?: string | null;
  notes?: string | null;
  status?: string;
  quantity?: string;
}

/**
 * The change that brought a row to what the item shows. Rows of the graph's own commands tell it by their figures;
 * states are lower case in the database and upper case in the graph.
 */
export function writeOf(op: Write['op'], item: Item): Write {
  const { orderId, tradeId, positionId, version = 1 } = item;
  const key = orderId ?? tradeId ?? positionId ?? '';
  const value = item.errorMessage ?? item.notes ?? item.status?.toUpperCase() ?? item.quantity ?? '';
  return { key, op, version, value, life: lifeOf(value) };
}

/** A text without the number is of a row that is never inserted anew. */
export function lifeOf(value: string): number {
  return Number(/^(\d+):/.exec(value)?.[1] ?? 1);
}
