/** What trading runs beside its requests: the prices of what is held, and the totals of portfolios that are watched. */
import DataLoader from 'dataloader';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { type LiveMarks, startLiveMarks } from './live-marks.ts';
import { type PortfolioReference, readTotals } from './portfolio.ts';

export interface TradingService {
  marks: LiveMarks;
  /** An account's totals at the latest prices, and those; accounts that one price moves are read together. */
  valueOf(accountId: string): Promise<Valued>;
  stop(): Promise<void>;
}

type Valued = NonNullable<PortfolioReference['valued']>;

export function startTrading({ db, ...parts }: ServiceParts): TradingService {
  const marks = startLiveMarks({ db, ...parts });
  const read = async (accountIds: readonly string[]) => {
    const prices = marks.now();
    return (await readTotals(db, prices, accountIds)).map((totals) => ({ totals, prices }));
  };
  const valued = new DataLoader<string, Valued>(read, { cache: false });
  return { marks, valueOf: (accountId) => valued.load(accountId), stop: () => marks.stop() };
}
