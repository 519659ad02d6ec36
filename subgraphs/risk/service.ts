/** What risk runs beside its requests: what it knows of trading and markets, its limits, and the monitor that keeps them. */
import type { ServiceParts } from '../../platform/subgraph.ts';
import { LimitBook } from './limits/limit-book.ts';
import { Book } from './monitor/book.ts';
import { History } from './monitor/history.ts';
import { BalanceBook, Returns } from './monitor/market.ts';
import { Monitor } from './monitor/monitor.ts';
import { Portfolios } from './monitor/portfolios.ts';
import { type CheckLog, startCheckLog } from './reports/check-log.ts';

export interface RiskService {
  book: Book;
  limits: LimitBook;
  portfolios: Portfolios;
  monitor: Monitor;
  checks: CheckLog;
  stop(): Promise<void>;
}

export function startRisk(parts: ServiceParts): RiskService {
  const { db, graph, now } = parts;
  // What is watched may move before the monitor is there to look.
  const late: { monitor?: Monitor } = {};
  const book = new Book(parts, (accountIds, traceId) => late.monitor?.touch(accountIds, traceId));
  const limits = new LimitBook(parts, () => late.monitor?.touchAll());
  const portfolios = new Portfolios({
    book,
    history: new History(db, now),
    balances: new BalanceBook(graph),
    returns: new Returns(graph),
    now,
  });
  const monitor = new Monitor({ parts, book, limits, portfolios });
  late.monitor = monitor;
  const checks = startCheckLog(parts);
  parts.health.heed('the record of checks', () => checks.complaints());
  return {
    book,
    limits,
    portfolios,
    monitor,
    checks,
    async stop() {
      limits.stop();
      await monitor.stop();
      await book.stop();
      await checks.stop();
    },
  };
}
