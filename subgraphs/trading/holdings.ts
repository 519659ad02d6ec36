import type { Database } from '../../platform/database/database.ts';
import { sql } from '../../platform/database/sql.ts';
import { isOpenTrade } from './trade-store/backends/journal.ts';

/**
 * Which accounts hold open positions, or open managed trades, in which instruments. It may name one that was closed
 * meanwhile; it misses none.
 */
export class Holdings {
  private readonly db: Database;
  private accounts = new Map<string, Set<string>>();
  /** Positions opened while `load` reads. */
  private pending: [string, string][] | null = null;

  constructor(db: Database) {
    this.db = db;
  }

  /** Reads anew what is held. */
  async load(): Promise<void> {
    const added: [string, string][] = [];
    this.pending = added;
    const rows = await this.db.query<{ accountId: string; instrumentId: string }>(
      sql`select account_id::text, instrument_id from positions where closed_at is null
           union select coalesce(account_id::text, ''), symbol from managed_trades where ${isOpenTrade}`,
    );
    this.accounts = new Map();
    for (const { accountId, instrumentId } of rows) this.put(accountId, instrumentId);
    for (const [accountId, symbol] of added) this.put(accountId, symbol);
    this.pending = null;
  }

  /** Whether the instrument was held by nobody before. */
  add(accountId: string, symbol: string): boolean {
    this.pending?.push([accountId, symbol]);
    const isNew = !this.accounts.has(symbol);
    this.put(accountId, symbol);
    return isNew;
  }

  symbols(): string[] {
    return [...this.accounts.keys()].sort();
  }

  accountsWith(symbol: string): Iterable<string> {
    return this.accounts.get(symbol) ?? [];
  }

  private put(accountId: string, symbol: string): void {
    const accounts = this.accounts.get(symbol) ?? new Set();
    this.accounts.set(symbol, accounts.add(accountId));
  }
}
