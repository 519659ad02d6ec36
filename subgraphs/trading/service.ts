/** What trading runs beside its requests: the prices of what is held, and the totals of portfolios that are watched. */
import DataLoader from 'dataloader';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { type LiveMarks, startLiveMarks } from './live-marks.ts';
import { type PortfolioTotals, readTotals } from './portfolio.ts';

export interface TradingService {
  marks: LiveMarks;
  /** The totals of an account as they are now; accounts that one price moves are read together. */
  totalsOf(accountId: string): Promise<PortfolioTotals>;
  stop(): Promise<void>;
}

export function startTrading(parts: ServiceParts): TradingService {
  const marks = startLiveMarks(parts);
  const totals = new DataLoader<string, PortfolioTotals>(
    (accountIds) => readTotals({ db: parts.db, marks }, accountIds),
    {
      cache: false,
    },
  );
  return { marks, totalsOf: (accountId) => totals.load(accountId), stop: () => marks.stop() };
}
