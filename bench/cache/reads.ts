/** Nothing but reads: what a request costs once everything has been read. */
import { median } from '../live/percentiles.ts';
import { heading, report } from '../live/report.ts';
import type { Bench } from './contenders.ts';
import { CONTENDERS, type Contender } from './database.ts';
import type { Asked } from './requests.ts';

/** Rounds of all in turns, so that what else the machine does meets all; medians are told. */
const ROUNDS = 3;
const WARM_UP = 60;
const REQUESTS = 200;

/** Of the CPU of an uncached request, what a warm one may take. */
const AIM = 1 / 3;

const TITLES: Record<Exclude<Contender, 'plain'>, string> = {
  uncached: 'no cache',
  process: 'kept in the process',
  redis: 'kept in Redis, nothing in the process',
};

export async function reads({ contenders, scale }: Bench): Promise<void> {
  const rounds: Record<Contender, Asked[]> = { uncached: [], process: [], redis: [], plain: [] };
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of CONTENDERS) {
      const count = Math.ceil(REQUESTS * scale);
      const asked = await contenders[name].ask('measure', { warmUp: WARM_UP, count });
      if (round >= 0) rounds[name].push(asked); // the first only warms up
    }
  }
  const of = (name: Contender, pick: (asked: Asked) => number) => median(rounds[name].map(pick));
  const cpuOf = (name: Contender) => of(name, ({ cpuMs }) => cpuMs);

  heading('A portfolio of 100 positions, CPU in ms a request; plain is dataloader and ioredis by hand');
  for (const name of ['uncached', 'process', 'redis'] as const) {
    const share = cpuOf(name) / cpuOf('uncached');
    report({
      title: TITLES[name],
      ours: cpuOf(name).toFixed(2),
      plain: cpuOf('plain').toFixed(2),
      ratio: cpuOf(name) / cpuOf('plain'),
      ...(name === 'process' && { aim: { text: 'a third of no cache', isMet: share <= AIM } }),
      note: `${share.toFixed(2)} of no cache`,
    });
  }

  heading('The same: SQL statements a request');
  for (const name of ['uncached', 'process', 'redis'] as const) {
    const statements = of(name, (asked) => asked.statements);
    report({
      title: TITLES[name],
      ours: statements.toFixed(2),
      plain: of('plain', (asked) => asked.statements).toFixed(2),
      ...(name !== 'uncached' && { aim: { text: 'none', isMet: statements < 0.05 } }), // prices are followed beside it
    });
  }

  heading('The same: p50 / p99 in ms, four requests at once');
  for (const name of ['uncached', 'process', 'redis'] as const) {
    const figure = (whose: Contender) =>
      `${of(whose, ({ p50Ms }) => p50Ms).toFixed(1)} / ${of(whose, ({ p99Ms }) => p99Ms).toFixed(1)}`;
    report({
      title: TITLES[name],
      ours: figure(name),
      plain: figure('plain'),
      ratio: of(name, ({ p50Ms }) => p50Ms) / of('plain', ({ p50Ms }) => p50Ms),
    });
  }
}
