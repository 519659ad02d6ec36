/**
 * `npm run bench:live`: what live updates cost from the commit to the client, side by side with the plainest alternative:
 * NOTIFY in a trigger and a WebSocket server that passes the row on. Clients, servers, PostgreSQL and the writer are
 * processes of their own on one machine, so figures say as much of the machine as of them: the ratio is what to look at.
 *
 *   --only <case>[,<case>]   latency, target, prices, writes, idle, memory
 *   --quick                  two seconds a case, to see that it runs
 */
import { chooseCases, stoppedAfterwards } from './cases.ts';
import { type Bench, createBench } from './live/bench.ts';
import { openDatabase } from './live/database.ts';
import { idle } from './live/idle.ts';
import { latency, target } from './live/latency.ts';
import { memory } from './live/memory.ts';
import { prices } from './live/prices.ts';
import { writes } from './live/writes.ts';

const CASES: Record<string, (bench: Bench) => Promise<void>> = { target, latency, prices, writes, idle, memory };

/** How long each case is measured. */
const SECONDS = 5;
const QUICK_SECONDS = 2;

const { names, isQuick } = chooseCases(CASES);
await stoppedAfterwards(await openDatabase(), async (database) => {
  const bench = createBench(database, isQuick ? QUICK_SECONDS : SECONDS);
  for (const name of names) await CASES[name]?.(bench);
});
