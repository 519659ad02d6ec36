/**
 * `npm run bench:cache`: what a portfolio of 100 positions over three subgraphs costs without a cache, with what the
 * process keeps, and with what Redis keeps for a process that keeps nothing, side by side with the plainest alternative:
 * dataloader and ioredis wired by hand, where whoever writes deletes. Each is a process of its own that asks itself; CPU
 * is that of the whole process, gateway and subgraphs. Figures say as much of the machine: the ratio is what to look at.
 *
 *   --only <case>[,<case>]   reads, mix
 *   --quick                  a fifth of the requests, to see that it runs
 */

import { type Bench, withContenders } from './cache/contenders.ts';
import { openDatabase } from './cache/database.ts';
import { mix } from './cache/mix.ts';
import { reads } from './cache/reads.ts';
import { chooseCases, stoppedAfterwards } from './cases.ts';

const CASES: Record<string, (bench: Bench) => Promise<void>> = { reads, mix };

const { names, isQuick } = chooseCases(CASES);
await stoppedAfterwards(await openDatabase(), (database) =>
  withContenders(database, async (contenders) => {
    for (const name of names) await CASES[name]?.({ database, contenders, scale: isQuick ? 0.2 : 1 });
  }),
);
