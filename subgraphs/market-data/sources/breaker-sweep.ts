/** Closing the breakers whose prices have been calm for long enough, though no price comes. */
import { sql } from '../../../platform/database/sql.ts';
import type { Tx } from '../context.ts';
import { lockTickers } from '../locks.ts';
import { bender } from '../publication.ts';
import { activeManipulations } from '../scenarios/manipulations.ts';
import { advanceConsensus } from './consensus-prices.ts';

/** Looks again at the breakers that are tripped. Gives whether any may still close. */
export async function sweepBreakers(tx: Tx, now: Date, traceId: string): Promise<boolean> {
  const tripped = await tx.$queryRaw<{ symbol: string }[]>(
    sql`select symbol from consensus_prices where breaker = 'TRIPPED' and in_band_since is not null`,
  );
  if (tripped.length === 0) return false;
  const symbols = tripped.map(({ symbol }) => symbol);
  await lockTickers(tx, symbols);
  const nowMs = now.getTime();
  const bend = bender(await activeManipulations(tx, symbols), nowMs);
  const verdicts = await advanceConsensus(tx, symbols, nowMs, bend, traceId);
  return [...verdicts.values()].some(({ isTripped }) => isTripped);
}
