/** Storing tickers as venues computed them. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { type RowRefusal, readBatch } from './bulk.ts';
import { spreadsOf } from './chaos/quotes.ts';
import type { Context } from './context.ts';
import type { RecordTickersInput, TickerInput } from './generated/resolvers.ts';
import { publishObservations } from './publication.ts';
import { refusable } from './refusable.ts';
import { type TickerReport, tickerFault } from './rules/ticker-report.ts';
import { newestBySymbol, type Observation, recordStates, withFigures } from './ticker-advance.ts';

export type TickersPayload = CommandPayload<{
  recorded: number;
  duplicates: number;
  refused: RowRefusal[];
  /** Whose tickers the payload shows. */
  symbols: string[];
}>;

/** Tickers a call at most; each costs a look at its last 24 hours. */
const MAX_TICKERS = 1_000;

/** Stores the tickers that keep every rule; those that are stored already are counted. */
export function recordTickers(context: Context, input: RecordTickersInput): Promise<TickersPayload> {
  return refusable(context, async () => {
    const nowMs = context.now().getTime();
    const { rows, refused } = await readBatch(context, 'tickers', input.tickers, MAX_TICKERS, (ticker, symbol) => {
      const report = tickerReport(ticker, symbol);
      return tickerFault(report, nowMs) ?? report;
    });
    return command(context, 'recordTickers', input, async (tx) => {
      const states = await withFigures(
        tx,
        rows.map(({ row }) => ({ ...observationOf(row), traceId: context.traceId })),
      );
      const recorded = await recordStates(tx, states);
      const newest = newestBySymbol(states);
      await publishObservations(tx, [...newest.values()], {
        nowMs,
        traceId: context.traceId,
        spreads: spreadsOf(context.faults),
      });
      return { recorded, duplicates: states.length - recorded, refused, symbols: [...newest.keys()] };
    });
  });
}

function tickerReport(ticker: TickerInput, symbol: string): TickerReport {
  return {
    symbol,
    source: ticker.source,
    timestamp: ticker.timestamp,
    sequence: ticker.sequence ?? '0',
    lastPrice: ticker.lastPrice,
    bid: ticker.bid ?? null,
    ask: ticker.ask ?? null,
    volume24h: ticker.volume24h ?? null,
    priceChange24h: ticker.priceChange24h ?? null,
    metadata: ticker.metadata ?? null,
  };
}

function observationOf(report: TickerReport): Omit<Observation, 'traceId'> {
  const quotedAt = report.bid === null && report.ask === null ? null : report.timestamp;
  return { ...report, quotedAt };
}
