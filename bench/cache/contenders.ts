/** Those that are compared, each a process of its own. */
import { isDeepStrictEqual } from 'node:util';
import { type Child, startChild } from '../live/processes.ts';
import { type BenchDatabase, CONTENDERS, type Contender } from './database.ts';
import type { GraphRole, ServerMethods } from './graph-process.ts';

export type Contenders = Record<Contender, Child<ServerMethods>>;

export interface Bench {
  database: BenchDatabase;
  contenders: Contenders;
  /** Of the requests of a whole run. */
  scale: number;
}

/** A cache so small that nothing fits: every value comes from Redis. */
const NOTHING_FITS = 1;

export async function withContenders(database: BenchDatabase, use: (contenders: Contenders) => Promise<void>) {
  const { redisUrl } = database;
  const start = (contender: Contender, program: string, role: Partial<GraphRole> = {}) =>
    startChild<ServerMethods>(`../cache/${program}`, {
      databaseUrl: database.urlOf(contender),
      ...role,
    } satisfies GraphRole);
  const contenders: Contenders = {
    uncached: start('uncached', 'graph-process.ts', { cacheBytes: 0 }),
    process: start('process', 'graph-process.ts'),
    redis: start('redis', 'graph-process.ts', { redisUrl, cacheBytes: NOTHING_FITS }),
    plain: start('plain', 'plain-process.ts', { redisUrl }),
  };
  try {
    await checkEqual(contenders);
    await use(contenders);
  } finally {
    await Promise.all(CONTENDERS.map((name) => contenders[name].stop()));
  }
}

/** Who answers something else is not worth measuring. */
async function checkEqual(contenders: Contenders): Promise<void> {
  const answers = await Promise.all(CONTENDERS.map((name) => contenders[name].ask('answer', 0)));
  const [expected, ...others] = answers.map((answer) => JSON.parse(answer).data);
  if (!expected?.portfolio?.positions?.nodes.length) throw new Error(`There is no portfolio: ${answers[0]}`);
  for (const [i, other] of others.entries()) {
    if (!isDeepStrictEqual(other, expected)) throw new Error(`Answers differ:\n${answers[0]}\n${answers[i + 1]}`);
  }
}
