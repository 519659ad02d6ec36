/** Managed trades in one SQLite file: the replica of a single process, which needs no server. Amounts and instants are TEXT. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { dec } from '../../../../platform/decimal.ts';
import { OPEN_STATUSES } from '../rules/lifecycle.ts';
import type { ManagedTrade } from '../rules/managed-trade.ts';
import { amount } from '../rules/results.ts';
import type { PutOutcome, TradeReplica } from '../trade-store.ts';
import { differences, FIELDS, fromTexts, type Texts, toTexts } from './fields.ts';

/** Another process of this machine may have the file open too. */
const BUSY_TIMEOUT_MS = 2_000;

const COLUMNS = FIELDS.map(({ column }) => column);
const OPEN = `status in (${OPEN_STATUSES.map((status) => `'${status}'`).join(', ')})`;
const NEWEST_FIRST = 'order by entry_time desc, trade_id desc';

const TABLE = `
  create table if not exists managed_trades (
    ${FIELDS.map(({ column, kind }) => `${column} ${kind === 'count' ? 'integer' : 'text'}`).join(', ')},
    primary key (trade_id)
  ) without rowid, strict;
  create index if not exists managed_trades_status on managed_trades (status);
  create index if not exists managed_trades_symbol_status on managed_trades (symbol, status);
  create index if not exists managed_trades_entry on managed_trades (entry_time desc);`;

const STORE = `insert or replace into managed_trades (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`;

/** @param path of the file, whose folder is made; ":memory:" for none */
export function sqliteTrades(path: string): TradeReplica {
  let opened: DatabaseSync | undefined;

  const prepared = new Map<string, StatementSync>();

  function database(): DatabaseSync {
    if (!opened) throw new Error('the SQLite file of managed trades is closed');
    return opened;
  }
  /** There are a dozen of them. */
  function statement(text: string): StatementSync {
    const known = prepared.get(text) ?? database().prepare(text);
    prepared.set(text, known);
    return known;
  }
  function rows(where: string, ...values: SQLInputValue[]): ManagedTrade[] {
    const found = statement(`select * from managed_trades where ${where}`).all(...values);
    return found.map((row) => fromTexts(textsOf(row)));
  }
  const one = (tradeId: string) => rows('trade_id = ?', tradeId)[0] ?? null;
  function store(trade: ManagedTrade): void {
    const texts = toTexts(trade);
    statement(STORE).run(
      ...FIELDS.map(({ column, kind }) => (kind === 'count' ? Number(texts[column]) : (texts[column] ?? null))),
    );
  }
  function put(trade: ManagedTrade): PutOutcome {
    const [known] = statement('select version from managed_trades where trade_id = ?').all(trade.tradeId);
    const version = Number(known?.version ?? 0);
    if (version > trade.version) return 'older';
    if (version === trade.version) {
      const there = readable(trade.tradeId);
      if (there && differences(there, trade).length === 0) return 'unchanged';
    }
    store(trade);
    return version === trade.version ? 'replaced' : 'written';
  }
  /** The trade, or null when it is not there or cannot be read. */
  function readable(tradeId: string): ManagedTrade | null {
    try {
      return one(tradeId);
    } catch (error) {
      if (error instanceof Error && error.message.includes('cannot be read')) return null;
      throw error;
    }
  }
  /** All of it or nothing, with nobody in between. */
  function transact<Result>(work: () => Result): Result {
    database().exec('begin immediate');
    try {
      const result = work();
      database().exec('commit');
      return result;
    } catch (error) {
      database().exec('rollback');
      throw error;
    }
  }

  return {
    name: 'SQLITE',
    async initialize() {
      if (opened) return;
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
      opened = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
      opened.exec(`pragma journal_mode = wal; pragma synchronous = normal; ${TABLE}`);
    },
    read: async (tradeId) => one(tradeId),
    write: async (trade, from) =>
      transact(() => {
        if ((one(trade.tradeId)?.version ?? 0) !== from) return null;
        store(trade);
        return one(trade.tradeId);
      }),
    open: async (symbol) =>
      symbol === undefined ? rows(`${OPEN} ${NEWEST_FIRST}`) : rows(`symbol = ? and ${OPEN} ${NEWEST_FIRST}`, symbol),
    list: async (limit, offset) => rows(`true ${NEWEST_FIRST} limit ? offset ?`, limit, offset),
    async totals() {
      const counts = statement(
        `select count(*) as total, sum(${OPEN}) as open, sum(status = 'closed') as closed from managed_trades`,
      ).get() as { total: number; open: number | null; closed: number | null };
      let sum = dec(0);
      const gains = statement(`select pnl_usd from managed_trades where status = 'closed'`);
      for (const { pnl_usd: gain } of gains.iterate()) sum = sum.plus(String(gain));
      return { total: counts.total, open: counts.open ?? 0, closed: counts.closed ?? 0, totalPnlUsd: amount(sum) };
    },
    readMany: async (tradeIds) => tradeIds.map(readable),
    ids: async () =>
      statement('select trade_id from managed_trades')
        .all()
        .map((row) => String(row.trade_id)),
    put: async (trades) => transact(() => trades.map(put)),
    async remove(tradeIds) {
      const gone = statement('delete from managed_trades where trade_id = ?');
      transact(() => {
        for (const tradeId of tradeIds) gone.run(tradeId);
      });
    },
    async reset() {
      database().exec('delete from managed_trades');
    },
    async close() {
      prepared.clear();
      opened?.close();
      opened = undefined;
    },
  };
}

function textsOf(row: Record<string, unknown>): Texts {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, value === null ? null : String(value)]),
  );
}
