/**
 * The one writer of prices in a process: calls that come while a transaction is under way share the next one, so that a
 * price alone costs little when many come. It measures how long prices wait until they are stored.
 */
import { GroupCommit } from '../../platform/group-commit.ts';
import type { Complaint } from '../../platform/health.ts';
import { RecentLags } from '../../platform/recent-lags.ts';
import type { PrismaClient } from '../../prisma/market-data/generated/client.ts';
import type { Context } from './context.ts';
import type { IngestPricesInput } from './generated/resolvers.ts';
import { PlainPrices } from './plain-prices.ts';
import { type PricesResult, preparePrices, type ReadyPrices, writePrices } from './price-ingestion.ts';

/** Ticks of a shared transaction at most: a few milliseconds' work, so that nobody waits long for the next one. */
const GROUP_LIMIT = 500;
/** Ticks that wait at most: about ten seconds' work. */
const WAITING_LIMIT = 100_000;

/** Whoever operates the graph should know that a price takes longer than this. */
const LAG_PATIENCE_MS = 1_000; // 1 second

/** How prices are being written in this process. */
export interface PriceIngestionState {
  calls: number;
  transactions: number;
  waitingCalls: number;
  /** Of the calls of the last minute, from their coming until they were stored; null without any. */
  storedLagP50Ms: number | null;
  storedLagP99Ms: number | null;
}

export interface PriceWriter extends GroupCommit<Context, PrismaClient, IngestPricesInput, ReadyPrices, PricesResult> {
  state(): PriceIngestionState;
  complaints(): Complaint[];
}

/** @param groupLimit ticks of a shared transaction at most; 0 for a transaction of its own a call */
export function createPriceWriter(groupLimit = GROUP_LIMIT): PriceWriter {
  const lags = new RecentLags();
  const plain = new PlainPrices();
  let [calls, transactions] = [0, 0];
  const writer = new GroupCommit<Context, PrismaClient, IngestPricesInput, ReadyPrices, PricesResult>({
    operation: 'ingestPrices',
    weigh: ({ prices }) => prices.length,
    limit: groupLimit,
    waitingLimit: WAITING_LIMIT,
    atOnce: (grouped) => plain.write(grouped),
    prepare: preparePrices,
    work: writePrices,
    onWritten(elapsedMs) {
      calls += elapsedMs.length;
      transactions++;
      lags.note(elapsedMs);
    },
  });

  function state(): PriceIngestionState {
    const [storedLagP50Ms = null, storedLagP99Ms = null] = lags.within(0.5, 0.99);
    const { waitingCalls } = writer;
    return { calls, transactions, waitingCalls, storedLagP50Ms, storedLagP99Ms };
  }

  function complaints(): Complaint[] {
    const { storedLagP50Ms } = state();
    if (storedLagP50Ms === null || storedLagP50Ms <= LAG_PATIENCE_MS) return [];
    return [{ status: 'DEGRADED', reason: `Prices take ${Math.round(storedLagP50Ms)} ms until they are stored.` }];
  }

  return Object.assign(writer, { state, complaints });
}
