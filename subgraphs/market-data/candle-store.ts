/** Bars between rules and tables: which are read, and how they are written. */
import { raw, type Sql, sql } from '../../platform/database/sql.ts';
import type { Context, Tx } from './context.ts';
import { type Columns, rowSet } from './row-set.ts';
import type { Bar } from './rules/candle-bar.ts';
import { barStart, type Interval } from './rules/candle-intervals.ts';
import type { Period } from './rules/candle-series.ts';
import { productOf, productText, unitsOf, unitsText } from './rules/units.ts';

/** Makes the months' partitions, outside the transaction that fills them. */
export async function preparePartitions(context: Context, bars: readonly Bar[]): Promise<void> {
  const days = new Set(bars.map(({ startMs }) => barStart(startMs, '1d')));
  const months = [...new Set([...days].map((dayMs) => `${new Date(dayMs).toISOString().slice(0, 7)}-01`))];
  if (months.length > 0) await context.db.query(sql`select ensure_candle_partitions(${months}::timestamptz[])`);
}

const PERIOD_COLUMNS: Columns<Period> = {
  symbol: ['text', (period) => period.symbol],
  length: ['text', (period) => period.interval],
  from_seconds: ['double precision', (period) => period.fromMs / 1_000],
  to_seconds: ['double precision', (period) => period.toMs / 1_000],
};

/** The stored bars of the periods. They come as one JSON text: thousands of rows cost a tenth that way. */
export async function readBars(tx: Tx, periods: readonly Period[]): Promise<Bar[]> {
  if (periods.length === 0) return [];
  const rows = await tx.$queryRaw<{ bars: string }[]>(sql`
    select coalesce(json_agg(json_build_array(
             bar.symbol, bar."interval", extract(epoch from bar.start_time) * 1000,
             bar.open::text, bar.high::text, bar.low::text, bar.close::text, bar.volume::text, bar.vwap::text,
             bar.turnover::text, bar.num_trades, bar.is_closed, bar.origin, bar.covered_minutes, bar.source,
             bar.metadata, bar.version)), '[]')::text as bars
      from ${rowSet('period', PERIOD_COLUMNS, periods)}
     cross join lateral ( -- "offset 0" keeps the planner from joining whole months instead of looking each period up
       select * from candles
        where candles.symbol = period.symbol and candles."interval" = period.length
          and start_time >= to_timestamp(period.from_seconds) and start_time < to_timestamp(period.to_seconds)
          and ${isWithin(periods.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))}
       offset 0) as bar`);
  return (JSON.parse(rows[0]?.bars ?? '[]') as StoredBar[]).map(readBar);
}

type StoredBar = [
  symbol: string,
  interval: Interval,
  startMs: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  vwap: string | null,
  turnover: string | null,
  numTrades: number | null,
  isClosed: boolean,
  origin: Bar['origin'],
  coveredMinutes: number,
  source: string | null,
  metadata: object | null,
  version: number,
];

function readBar(stored: StoredBar): Bar {
  const [symbol, interval, startMs, open, high, low, close, volume, vwap, turnover, ...rest] = stored;
  const [numTrades, isClosed, origin, coveredMinutes, source, metadata, version] = rest;
  return {
    symbol,
    interval,
    startMs,
    open: unitsOf(open),
    high: unitsOf(high),
    low: unitsOf(low),
    close: unitsOf(close),
    volume: unitsOf(volume),
    vwap: vwap === null ? null : unitsOf(vwap),
    turnover: turnover === null ? null : productOf(turnover),
    numTrades,
    isClosed,
    origin,
    coveredMinutes,
    source,
    metadata,
    version,
  };
}

const BAR_COLUMNS: Columns<Bar> = {
  symbol: ['text', (bar) => bar.symbol],
  interval: ['text', (bar) => bar.interval],
  start_seconds: ['double precision', (bar) => bar.startMs / 1_000],
  open: ['numeric', (bar) => unitsText(bar.open)],
  high: ['numeric', (bar) => unitsText(bar.high)],
  low: ['numeric', (bar) => unitsText(bar.low)],
  close: ['numeric', (bar) => unitsText(bar.close)],
  volume: ['numeric', (bar) => unitsText(bar.volume)],
  vwap: ['numeric', (bar) => (bar.vwap === null ? null : unitsText(bar.vwap))],
  turnover: ['numeric', (bar) => (bar.turnover === null ? null : productText(bar.turnover))],
  num_trades: ['integer', (bar) => bar.numTrades],
  is_closed: ['boolean', (bar) => bar.isClosed],
  origin: ['text', (bar) => bar.origin],
  covered_minutes: ['integer', (bar) => bar.coveredMinutes],
  source: ['text', (bar) => bar.source],
  metadata: ['jsonb', (bar) => bar.metadata],
};
const VALUE_NAMES = raw(
  `open, high, low, close, volume, vwap, turnover, num_trades, is_closed, origin, covered_minutes, source, metadata`,
);

/**
 * Stores the bars as they are. Their symbols must be locked (`lockNames`). New bars and changed ones go apart: an upsert costs a
 * quarter more. Throws a unique violation when somebody outside the graph has inserted the same bar meanwhile.
 */
export async function writeBars(tx: Tx, bars: readonly Bar[], traceId: string): Promise<void> {
  const { fresh = [], changed = [] } = Object.groupBy(bars, ({ version }) => (version === 0 ? 'fresh' : 'changed'));
  if (fresh.length > 0) {
    await tx.$executeRaw(sql`
      insert into candles (symbol, "interval", start_time, end_time, ${VALUE_NAMES}, trace_id)
      select symbol, "interval", to_timestamp(start_seconds),
             to_timestamp(start_seconds) + candle_duration("interval"), ${VALUE_NAMES}, ${traceId}
        from ${rowSet('bar', BAR_COLUMNS, fresh)}`);
  }
  if (changed.length > 0) {
    await tx.$executeRaw(sql`
      update candles set (${VALUE_NAMES}, trace_id) =
             (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.turnover, bar.num_trades,
              bar.is_closed, bar.origin, bar.covered_minutes, bar.source, bar.metadata, ${traceId})
        from ${rowSet('bar', BAR_COLUMNS, changed)}
       where candles.symbol = bar.symbol and candles."interval" = bar."interval"
         and candles.start_time = to_timestamp(bar.start_seconds) and ${isWithin(changed.map(({ startMs }) => startMs))}`);
  }
}

/** Bounds that the planner knows beforehand, so that it leaves the partitions of other months alone. */
function isWithin(instantsMs: readonly number[]): Sql {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const instantMs of instantsMs) [fromMs, toMs] = [Math.min(fromMs, instantMs), Math.max(toMs, instantMs)];
  return sql`candles.start_time between to_timestamp(${fromMs / 1_000}) and to_timestamp(${toMs / 1_000})`;
}

/** Closes the rolled-up bars of the symbols whose period is over; no later part need have touched them. */
export async function closeOverdue(tx: Tx, symbols: ReadonlySet<string>, now: Date, traceId: string): Promise<void> {
  await tx.$executeRaw(sql`
    update candles set is_closed = true, trace_id = ${traceId}
     where symbol = any(${[...symbols]}::text[]) and origin = 'ROLLED_UP' and not is_closed
       and end_time <= ${now.toISOString()}::timestamptz`);
}
