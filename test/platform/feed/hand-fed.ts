/** A process whose hub gets its ticks when a test says so: what happens between two awaits can then be chosen. */
import { readTicks, type StoredTick } from '../../../platform/feed/change-log.ts';
import type { FeedReader } from '../../../platform/feed/feed.ts';
import { readState } from '../../../platform/feed/feed-state.ts';
import { Hub } from '../../../platform/feed/hub.ts';
import { rowChanges } from '../../../platform/feed/row-changes.ts';
import { TickReader } from '../../../platform/feed/tick-reader.ts';
import type { Topic } from '../../../platform/feed/topic.ts';
import type { FollowOptions, TestFeed } from './feeds.ts';
import { type Listening, listen } from './listening.ts';

export interface HandFed {
  hub: Hub;
  /** Takes in what is stored. */
  feed(): Promise<void>;
  /** The same as if its leader had looked only now: all of it in one tick. */
  feedAtOnce(): Promise<void>;
  /** Run once: before or after rows are read for a snapshot, or after a part of the log has been read. */
  beforeSnapshot: (() => Promise<void>) | null;
  afterSnapshot: (() => Promise<void>) | null;
  afterReplayed: (() => Promise<void>) | null;
  follow<Row>(topic: Topic<Row>, options?: FollowOptions): Listening<Row>;
}

/** Begins at the last tick of a feed that runs. */
export async function handFed({ feed, db }: TestFeed): Promise<HandFed> {
  const hub = new Hub();
  const state = await readState(db.pool);
  hub.start({ ...state, at: state.tickedAt });
  const take = async (tick: StoredTick) => {
    const reader = new TickReader(db.pool, feed.tables(), tick);
    for (let hasMore = true; hasMore; ) {
      const part = await reader.next();
      hasMore = part.hasMore;
      hub.accept({ ...tick, epoch: hub.epoch, changes: part.changes, isLast: !hasMore });
    }
  };
  const rig: HandFed = {
    hub,
    beforeSnapshot: null,
    afterSnapshot: null,
    afterReplayed: null,
    async feed() {
      for (const tick of await readTicks(db.pool, hub.place.tick, 10_000)) await take(tick);
    },
    async feedAtOnce() {
      const ticks = await readTicks(db.pool, hub.place.tick, 10_000);
      const [first, last] = [ticks[0], ticks.at(-1)];
      if (first && last) await take({ ...last, since: first.since });
    },
    follow(topic, { choice = {}, ...options } = {}) {
      return listen(rowChanges(reader, hookedDb, topic, { choice, ...options }));
    },
  };
  const reader: FeedReader = {
    hub,
    db: db.pool,
    tables: feed.tables,
    ready: async () => undefined,
    limit: async (work) => {
      const done = await work();
      const hook = rig.afterReplayed;
      rig.afterReplayed = null;
      await hook?.();
      return done;
    },
  };
  const hookedDb: typeof db = {
    ...db,
    query: async (statement) => {
      const { beforeSnapshot, afterSnapshot } = rig;
      rig.beforeSnapshot = null;
      rig.afterSnapshot = null;
      await beforeSnapshot?.();
      const rows = await db.query(statement);
      await afterSnapshot?.();
      return rows as never;
    },
  };
  return rig;
}
