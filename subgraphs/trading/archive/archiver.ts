/**
 * Archives what is over and old, hour by hour. The process that leads the feed does it for all; where two believe that they
 * lead, neither waits for rows that the other works with.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Context } from '../context.ts';
import { type ArchiveDays, settings } from '../settings.ts';
import { archiveOrders, archivePositions, archiveTrades } from './archive-commands.ts';

/** After its start a process has other things to do. */
const FIRST_AFTER_MS = 600_000; // 10 minutes
const EVERY_MS = 3_600_000; // an hour

/** Between two commands of a round, so that others come to their turn. */
const PAUSE_MS = 1_000; // 1 second

const KINDS = [
  ['orders', archiveOrders],
  ['trades', archiveTrades],
  ['positions', archivePositions],
] as const;

export interface Archiver {
  stop(): Promise<void>;
}

export function startArchiver({ feed, log, context }: ServiceParts<Context['prisma']>): Archiver {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    for (let waitMs = FIRST_AFTER_MS; ; waitMs = EVERY_MS) {
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (!feed.isLeader()) continue;
      await archiveOld(() => context() as Context, settings.archiveDays, signal).catch((error: unknown) => {
        log.warn({ err: error }, 'not all that is over was archived; it will be in an hour');
      });
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Archives all that is older than it is kept where it is worked with, command by command. */
export async function archiveOld(context: () => Context, days: ArchiveDays, signal?: AbortSignal): Promise<void> {
  for (const [kind, archive] of KINDS) {
    const olderThanDays = days[kind];
    let hasMore = olderThanDays > 0;
    while (hasMore && !signal?.aborted) {
      const { errors, ...done } = await archive(context(), { olderThanDays });
      if (errors[0]) throw new Error(errors[0].message);
      hasMore = done.hasMore === true;
      if (hasMore) await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
