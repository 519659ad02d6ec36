/**
 * What trading runs beside its requests: the prices of what is held, what it was worth each minute, the totals of
 * portfolios that are watched, the orders that it carries out itself, the copies of managed trades, backtests, and archives.
 */
import DataLoader from 'dataloader';
import type { Reading } from '../../platform/cache/family.ts';
import { createLoaders } from '../../platform/loaders.ts';
import { connectRedis } from '../../platform/redis.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { startPositionMarks } from './analytics/position-marks.ts';
import { startArchiver } from './archive/archiver.ts';
import { startBacktestRunner } from './backtests/runner.ts';
import type { Context } from './context.ts';
import { type LiveMarks, startLiveMarks } from './live-marks.ts';
import { type PortfolioReference, readTotals } from './portfolio.ts';
import { startFollower } from './routing/follower.ts';
import { complaintsOfQuarantine } from './routing/quarantine.ts';
import { complaintsOfRoutes, type Router, startRouter } from './routing/router.ts';
import { TradeKeeper } from './trade-store/keeper.ts';
import { forcesSqlite, sqlitePath } from './trade-store/settings.ts';

export interface TradingService {
  marks: LiveMarks;
  trades: TradeKeeper;
  router: Router;
  /** An account's totals at the latest prices, and those; accounts that one price moves are read together. */
  valueOf(accountId: string): Promise<Valued>;
  stop(): Promise<void>;
}

type Valued = NonNullable<PortfolioReference['valued']>;

/** What is told is no older than the feed. */
const LIVE: Reading = { isFresh: false, after: [], degrade: () => undefined };

export function startTrading(parts: ServiceParts<Context['prisma']>): TradingService {
  const { db, cache, graph, health, log, redisUrl, redisPrefix, dataDir } = parts;
  const marks = startLiveMarks(parts);
  const backtests = startBacktestRunner(parts);
  const positionMarks = startPositionMarks(parts, () => marks.now());
  const archiver = startArchiver(parts);
  const trades = new TradeKeeper({
    ...parts,
    redis: redisUrl && !forcesSqlite ? connectRedis({ url: redisUrl, log }) : undefined,
    sqlitePath: sqlitePath(dataDir, redisPrefix),
  });
  const read = async (accountIds: readonly string[]) => {
    const prices = marks.now();
    const { derive } = createLoaders(db, cache, LIVE);
    return Promise.all(accountIds.map(async (id) => ({ totals: await readTotals(db, derive, prices, id), prices })));
  };
  const valued = new DataLoader<string, Valued>(read, { cache: false });
  const catching = {
    db,
    graph,
    contextOf: (traceId: string | null) => parts.context(traceId) as Context,
    wake: () => router.wake(),
  };
  const router: Router = startRouter(parts, catching);
  const follower = startFollower(parts, catching);
  health.heed('the quarantine', () => complaintsOfQuarantine(db));
  health.heed('the router', () => complaintsOfRoutes(db));
  return {
    marks,
    trades,
    router,
    valueOf: (accountId) => valued.load(accountId),
    async stop() {
      const stopped = [router, follower, trades, positionMarks, backtests, archiver].map((worker) => worker.stop());
      await Promise.all(stopped);
      await marks.stop();
    },
  };
}
