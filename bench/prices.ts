/**
 * `npm run bench:prices`: what a call with a single price costs, side by side: in a transaction of its own, in a
 * transaction that it shares with the calls that wait with it (as the graph does it), and the plainest Redis-first rival
 * written by hand, which answers when Redis has the price and writes PostgreSQL later. Each is a process of its own that
 * calls itself; one subscriber follows all prices. Figures say as much of the machine: the ratio is what to look at.
 *
 *   --only <case>[,<case>]   1, 20, 200: callers at once
 *   --quick                  a third of the time, to see that it runs
 */

import { chooseCases, stoppedAfterwards } from './cases.ts';
import { heading, print, report } from './live/report.ts';
import type { Called } from './prices/callers.ts';
import { withContenders } from './prices/contenders.ts';
import { CONTENDERS, type Contender, openDatabase } from './prices/database.ts';

const CASES: Record<string, number> = { 1: 1, 20: 20, 200: 200 };
const SECONDS = 4;

const { names, isQuick } = chooseCases(CASES);
const seconds = isQuick ? SECONDS / 3 : SECONDS;

await stoppedAfterwards(await openDatabase(), (database) =>
  withContenders(database, async (contenders) => {
    for (const name of names) {
      const callers = CASES[name] ?? 1;
      const called = {} as Record<Contender, Called>;
      for (const contender of CONTENDERS) {
        await contenders[contender].ask('call', { callers, seconds: seconds / 4 }); // what is compiled at first use
        called[contender] = await contenders[contender].ask('call', { callers, seconds });
      }
      tell(callers, called);
    }
  }),
);

function tell(callers: number, { alone, shared, rival }: Record<Contender, Called>): void {
  heading(`${callers} callers of a single price; plain is the rival in Redis`);
  for (const [name, ours] of [
    ['a transaction a call', alone],
    ['shared transactions', shared],
  ] as const) {
    const line = (title: string, of: (called: Called) => number) =>
      report({
        title: `${name}: ${title}`,
        ours: of(ours).toFixed(1),
        plain: of(rival).toFixed(1),
        ratio: of(ours) / of(rival),
      });
    line('prices a second', ({ perSecond }) => perSecond);
    line('ms a call, p50', ({ answered }) => answered.p50Ms);
    line('ms a call, p99', ({ answered }) => answered.p99Ms);
    line('ms to the subscriber, p50', ({ heard }) => heard.p50Ms);
    line('ms to the subscriber, p99', ({ heard }) => heard.p99Ms);
    line('ms until PostgreSQL has it, p50', ({ stored }) => stored.p50Ms);
    line('ms until PostgreSQL has it, p99', ({ stored }) => stored.p99Ms);
  }
  const { unstored } = rival;
  print(`Shared to alone: ${(shared.perSecond / alone.perSecond).toFixed(1)} times the prices a second.`);
  print(`Prices that the rival had answered for and PostgreSQL did not have at the end: ${unstored}.`);
}
