/** An audit that follows nobody, which tests tell what they want it to know. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, serviceOf, settingsAsBefore, until, withSettings } from './watch.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
export type Data = any;

export const DAY_MS = 86_400_000;

export const at = (ms: number) => new Date(ms).toISOString();

export interface Stage {
  graph: TestGraph;
  anchorFile: string;
  /** Tells the audit of events, and waits until what belongs together was looked for. */
  tell(events: object[]): Promise<Data>;
  /** A time of a test's own, an hour before which and after which nothing of others lies. */
  hour(): number;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-anchors-'));
  const anchorFile = join(folder, 'deep', 'anchors.jsonl');
  withSettings({ follow: false, anchorFile, anchorMinutes: 0, archiveDays: 0 });
  const graph = await startGraph({ domains: DOMAINS });
  await until(async () => expect((await ask(graph, '{ auditFeed { isLeader } }')).auditFeed.isLeader).toBe(true));
  // A millisecond after a second: instants come back without trailing zeros.
  let minute = Math.floor((Date.now() - 40 * DAY_MS) / 1_000) * 1_000 + 1;
  return {
    graph,
    anchorFile,
    async tell(events) {
      const { events: told } = await done(
        graph,
        'ingestAuditEvents',
        { events: events.map((event) => ({ serviceName: 'desk', eventType: 'something', ...event })) },
        'events { eventId sequence } sealedCount knownCount',
      );
      await serviceOf(graph).engine.settled();
      return told;
    },
    hour() {
      minute += 2 * 3_600_000;
      return minute;
    },
    async close() {
      await graph.close();
      settingsAsBefore();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
