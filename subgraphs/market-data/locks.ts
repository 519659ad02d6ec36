/** Locks that are held until the transaction ends. */
import { sql } from '../../platform/database/sql.ts';
import type { Tx } from './context.ts';

/**
 * Lets one transaction at a time write to each of the named things of a kind. Taken in one order, so that two writers
 * never deadlock. Other schemas have locks of their own.
 */
export async function lockNames(tx: Tx, kind: 'bars' | 'books', names: ReadonlySet<string>): Promise<void> {
  await tx.$executeRaw(sql`
    select pg_advisory_xact_lock(key) from (
      select distinct hashtextextended(format('%s.%s:%s', current_schema(), ${kind}::text, name), 0) as key
        from unnest(${[...names]}::text[]) as name order by key) as keys`);
}

/**
 * Locks the tickers of the symbols: whoever publishes a price, or bends it, does so first, in the order of the symbols.
 * What is read afterwards is as the one before has left it.
 */
export async function lockTickers(tx: Tx, symbols: readonly string[]): Promise<void> {
  await tx.$queryRaw(sql`
    select symbol from tickers where symbol = any(${[...symbols]}::text[]) order by symbol for no key update`);
}
