/** Those that are compared, each a process of its own. */
import { type Child, startChild } from '../live/processes.ts';
import type { BenchDatabase, Contender } from './database.ts';
import type { GraphRole, PriceMethods } from './graph-process.ts';

export type Contenders = Record<Contender, Child<PriceMethods>>;

export async function withContenders(database: BenchDatabase, use: (contenders: Contenders) => Promise<void>) {
  const { redisUrl } = database;
  const start = (contender: Contender, program: string) =>
    startChild<PriceMethods>(`../prices/${program}`, {
      databaseUrl: database.urlOf(contender),
      redisUrl,
      isShared: contender === 'shared',
    } satisfies GraphRole);
  const contenders: Contenders = {
    alone: start('alone', 'graph-process.ts'),
    shared: start('shared', 'graph-process.ts'),
    rival: start('rival', 'rival-process.ts'),
  };
  try {
    await use(contenders);
  } finally {
    await Promise.all(Object.values(contenders).map((contender) => contender.stop()));
  }
}
