/**
 * Prices that nothing stands in the way of, the most there are: one statement stores them and is its own transaction.
 * What this remembers (which instruments are active, which days have a partition, that something stood in the way a
 * moment ago) only spares it questions. The statement looks for itself, and where it finds something else it does
 * nothing, and the prices take the long way.
 */
import { readTokenOf } from '../../platform/cache/reading.ts';
import { type CommandPayload, failed } from '../../platform/command.ts';
import { databaseFault, isUnreachable } from '../../platform/database/database-error.ts';
import { rowTypes } from '../../platform/database/rows.ts';
import { Refusal, refuse } from '../../platform/errors.ts';
import { readActivity, type readTradable, tradableBy } from './bulk.ts';
import type { Context } from './context.ts';
import { withDayFigures } from './day-figures.ts';
import { type Call, ensureDays, type PricesResult, prepareKnowing, type ReadyPrices } from './price-ingestion.ts';
import { batchOf, resultsOf, type StoredPrices, storing } from './price-store.ts';

/** Names that are remembered at most; there are thousands of instruments, and some days that prices speak of. */
const NAMES_LIMIT = 10_000;

/** Where something stood in the way, prices take the long way for so long. */
const HINDERED_MS = 1_000; // 1 second

/** PostgreSQL waited too long for a row, or was too long about the statement: it has undone it, and says so. */
const TOO_LONG = new Set(['55P03', '57014']);

export class PlainPrices {
  private readonly active = new Set<string>();
  private readonly days = new Set<string>();
  private hinderedUntil = 0;

  /** The payloads of the calls in their order; null when they must take the long way, and nothing was done. */
  async write(calls: readonly Call[]): Promise<CommandPayload<PricesResult>[] | null> {
    const [first] = calls;
    if (!first || performance.now() < this.hinderedUntil) return null;
    const prepared = await prepareKnowing(calls, this.knowTradable, this.knowDays);
    const ready = prepared.flatMap((one) => (one instanceof Refusal ? [] : [one]));
    const payloads = await this.store(first.context, ready);
    if (!payloads) return null;
    const answers = payloads.values();
    return prepared.map((one) =>
      one instanceof Refusal ? failed<PricesResult>(one) : (answers.next().value as CommandPayload<PricesResult>),
    );
  }

  private async store(context: Context, ready: readonly ReadyPrices[]): Promise<CommandPayload<PricesResult>[] | null> {
    const [first] = ready;
    if (!first) return [];
    const batch = await withDayFigures(context, batchOf(ready, first.spreads), first.nowMs);
    const { text, values } = storing(batch, context.traceparent);
    const client = await context.db.pool.connect();
    try {
      const { rows } = await client.query<StoredPrices>({ name: 'store prices', text, values, types: rowTypes });
      client.release();
      const [stored] = rows;
      if (!stored?.isPublished) return this.giveWay();
      const xid = Number(stored.xid);
      const symbols = batch.seen.map(({ symbol }) => symbol);
      context.cache.expectRows(xid, 'tickers', symbols, stored.moved ?? []);
      context.feed.ring();
      const readToken = readTokenOf(context.domain, xid);
      return resultsOf(ready, batch, stored).map((result) => ({ ...result, errors: [], readToken }));
    } catch (error) {
      const isUndone = TOO_LONG.has(databaseFault(error)?.code ?? '');
      client.release(isUnreachable(error) && !isUndone);
      if (isUndone) throw error;
      if (!isUnreachable(error)) return this.forget(); // a partition is gone, or a row is at fault
      const unknown = refuse.domainUnavailable(context.domain, true);
      return ready.map(() => failed<PricesResult>(unknown));
    }
  }

  private giveWay(): null {
    this.hinderedUntil = performance.now() + HINDERED_MS;
    return this.forget();
  }

  private forget(): null {
    this.active.clear();
    this.days.clear();
    return null;
  }

  private readonly knowTradable: typeof readTradable = (context, inputs) =>
    tradableBy(context, inputs, async (symbols) => {
      const unknown = symbols.filter((symbol) => !this.active.has(symbol));
      const read = unknown.length === 0 ? new Map<string, boolean>() : await readActivity(context, unknown);
      if (this.active.size > NAMES_LIMIT) this.active.clear();
      for (const [symbol, isActive] of read) if (isActive) this.active.add(symbol);
      for (const symbol of symbols) if (!read.has(symbol) && this.active.has(symbol)) read.set(symbol, true);
      return read;
    });

  private readonly knowDays: typeof ensureDays = async (context, days) => {
    const unknown = days.filter((day) => !this.days.has(day));
    if (unknown.length === 0) return;
    await ensureDays(context, unknown);
    if (this.days.size > NAMES_LIMIT) this.days.clear();
    for (const day of unknown) this.days.add(day);
  };
}
