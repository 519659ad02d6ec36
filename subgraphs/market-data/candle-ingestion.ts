/** Storing bars in bulk: in one transaction with the longer bars that are rolled up from them. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { byIndex, type ReadRow, type RowRefusal, readBatch, refusedRow } from './bulk.ts';
import { closeOverdue, preparePartitions, readBars, writeBars } from './candle-store.ts';
import type { Context } from './context.ts';
import { shownInterval, storedInterval } from './enums.ts';
import type { CandleInput, IngestCandlesInput, RollUpCandlesInput } from './generated/resolvers.ts';
import { instruments } from './instruments.ts';
import { lockNames } from './locks.ts';
import { refusable } from './refusable.ts';
import { type Bar, type BarReport, readBar } from './rules/candle-bar.ts';
import { barStart, durationMs, INTERVALS } from './rules/candle-intervals.ts';
import { type Applied, applyReports } from './rules/candle-reports.ts';
import { rollUp } from './rules/candle-roll-up.ts';
import { CandleSeries, neededPeriods } from './rules/candle-series.ts';

export type CandlesPayload = CommandPayload<{
  inserted: number;
  updated: number;
  ignored: number;
  refused: RowRefusal[];
  rolledUp: number;
}>;
export type RollUpPayload = CommandPayload<{ rolledUp: number }>;

/** Bars a call at most: about 2 MiB of JSON. */
const MAX_BARS = 10_000;
/** Days rolled up again in a call at most: 44,640 minutes. */
const MAX_ROLL_UP_DAYS = 31;

/**
 * Stores the bars that keep every rule, and the longer bars above them. One transaction at a time writes the bars of a
 * symbol: a roll-up must see every bar below it.
 */
export function ingestCandles(context: Context, input: IngestCandlesInput): Promise<CandlesPayload> {
  return refusable(context, async () => {
    const now = context.now();
    const batch = await readBatch(context, 'candles', input.candles, MAX_BARS, (candle, symbol) =>
      readBar(barReport(candle, symbol), now.getTime()),
    );
    const bars = batch.rows.map(({ row }) => row);
    await preparePartitions(context, bars);
    return againOnConflict(() =>
      command(context, 'ingestCandles', input, async (tx) => {
        const symbols = new Set(bars.map(({ symbol }) => symbol));
        await lockNames(tx, 'bars', symbols);
        const series = new CandleSeries(await readBars(tx, neededPeriods(bars)));
        const applied = applyReports(series, reports(batch.rows));
        const rolledUp = rollUp(series, applied.changed, now.getTime());
        await writeBars(tx, [...applied.changed, ...rolledUp], context.traceId);
        await closeOverdue(tx, symbols, now, context.traceId);
        return {
          inserted: applied.inserted,
          updated: applied.updated,
          ignored: applied.ignored,
          refused: byIndex([...batch.refused, ...contradictions(applied)]),
          rolledUp: rolledUp.length,
        };
      }),
    );
  });
}

const ATTEMPTS = 3;

/** Runs the command again when somebody outside the graph, who takes no locks, inserted one of its bars meanwhile. */
async function againOnConflict<Payload>(run: () => Promise<Payload>): Promise<Payload> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS || !isUniqueViolation(error)) throw error;
    }
  }
}

function barReport(candle: CandleInput, symbol: string): BarReport {
  return {
    symbol,
    interval: storedInterval(candle.interval),
    startTime: candle.startTime,
    open: candle.open,
    high: candle.high,
    low: candle.low,
    close: candle.close,
    volume: candle.volume,
    vwap: candle.vwap ?? null,
    numTrades: candle.numTrades ?? null,
    isClosed: candle.isClosed ?? null,
    source: candle.source ?? null,
    metadata: candle.metadata ?? null,
  };
}

function reports(rows: readonly ReadRow<Bar>[]) {
  return rows.map(({ index, row }) => ({ index, bar: row }));
}

function contradictions({ contradicted }: Applied): RowRefusal[] {
  return contradicted.map(({ index, stored }) => {
    const start = new Date(stored.startMs).toISOString();
    const bar = `The ${shownInterval(stored.interval)} bar of ${stored.symbol} at ${start}`;
    const { userError } = refuse.conflict(stored.version, `${bar} is closed with other content and never changes.`);
    return refusedRow('candles', index, 'startTime', userError);
  });
}

/** Rolls up again the days between two instants, from whatever bars are stored. */
export function rollUpCandles(context: Context, input: RollUpCandlesInput): Promise<RollUpPayload> {
  return refusable(context, async () => {
    const symbol = normaliseSymbol(input.symbol);
    const { fromMs, toMs } = wholeDays(input);
    if (!(await context.load(instruments, symbol))) throw refuse.notFound('Instrument', symbol, ['input', 'symbol']);
    const symbols = new Set([symbol]);
    return againOnConflict(() =>
      command(context, 'rollUpCandles', input, async (tx) => {
        const now = context.now();
        await lockNames(tx, 'bars', symbols);
        const stored = await readBars(
          tx,
          INTERVALS.map((interval) => ({ symbol, interval, fromMs, toMs })),
        );
        const rolledUp = rollUp(new CandleSeries(stored), stored, now.getTime());
        await writeBars(tx, rolledUp, context.traceId);
        await closeOverdue(tx, symbols, now, context.traceId);
        return { rolledUp: rolledUp.length };
      }),
    );
  });
}

function wholeDays(input: RollUpCandlesInput): { fromMs: number; toMs: number } {
  const dayMs = durationMs('1d');
  const fromMs = barStart(Date.parse(input.from), '1d');
  const toMs = barStart(Date.parse(input.to) + dayMs - 1, '1d');
  if (toMs <= fromMs) throw refuse.validation('to must lie after from.', ['input', 'to']);
  if (toMs - fromMs > MAX_ROLL_UP_DAYS * dayMs) {
    const days = (toMs - fromMs) / dayMs;
    throw refuse.validation(`At most ${MAX_ROLL_UP_DAYS} days are rolled up in a call, but got ${days}.`, [
      'input',
      'to',
    ]);
  }
  return { fromMs, toMs };
}
