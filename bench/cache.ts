/**
 * `npm run bench:cache`: what a portfolio of 100 positions over three subgraphs costs without a cache, with what the
 * process keeps, and with what Redis keeps for a process that keeps nothing, side by side with the plainest alternative:
 * dataloader and ioredis wired by hand, where whoever writes deletes. Each is a process of its own that asks itself; CPU
 * is that of the whole process, gateway and subgraphs. Figures say as much of the machine: the ratio is what to look at.
 *
 *   --only <case>[,<case>]   reads, mix
 *   --quick                  a fifth of the requests, to see that it runs
 */
import { parseArgs } from 'node:util';
import { type Bench, withContenders } from './cache/contenders.ts';
import { openDatabase } from './cache/database.ts';
import { mix } from './cache/mix.ts';
import { reads } from './cache/reads.ts';

const CASES: Record<string, (bench: Bench) => Promise<void>> = { reads, mix };

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const names = values.only?.split(',') ?? Object.keys(CASES);
const unknown = names.find((name) => !(name in CASES));
if (unknown) throw new Error(`There is no case "${unknown}", only ${Object.keys(CASES).join(', ')}.`);

const database = await openDatabase();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void database.stop().then(() => process.exit(1)));
}
try {
  await withContenders(database, async (contenders) => {
    for (const name of names) await CASES[name]?.({ database, contenders, scale: values.quick ? 0.2 : 1 });
  });
} finally {
  await database.stop();
}
