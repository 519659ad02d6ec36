/** Brings into the hub what the leader has stored or sent, each part once and in its place. */
import type pg from 'pg';
import type { CapturedTables } from './captured-tables.ts';
import type { TickPart } from './change.ts';
import { readTick, readTicks, type StoredTick } from './change-log.ts';
import { readState } from './feed-state.ts';
import type { Hub, Place } from './hub.ts';
import type { BroadcastPart } from './tick-broadcast.ts';
import { TickReader } from './tick-reader.ts';

/** Ticks that a follower takes up at once. */
const TICKS_AT_ONCE = 100;

export class TickIntake {
  tables: CapturedTables = new Map();
  isStopped = false;
  private readonly hub: Hub;
  private readonly ring: () => void;

  /** @param ring asks for what is stored to be taken in soon */
  constructor(hub: Hub, ring: () => void) {
    this.hub = hub;
    this.ring = ring;
  }

  /**
   * After an interruption: when the tick where this process stands is stored, what followed it will come. When it is not,
   * either PostgreSQL has lost it in a crash, and the next leader begins with what is stored, or it is no longer kept.
   */
  async rejoin(client: pg.Client): Promise<void> {
    const { hub } = this;
    if (hub.epoch === '') return;
    const stored = await readTick(client, hub.place.tick);
    if (stored) hub.rejoin(hub.place.position === undefined ? stored.snapshot : stored.since);
  }

  /** Takes in what is stored and has not arrived here. Gives the last stored tick, and whether there was anything. */
  async catchUp(client: pg.Client): Promise<{ tick: number; hasMoved: boolean }> {
    const { hub } = this;
    for (let hasMoved = false; ; hasMoved = true) {
      const state = await readState(client);
      if (state.epoch === '' || this.isStopped) return { tick: 0, hasMoved }; // or nobody has led yet
      const { tick, position } = hub.place;
      if (hub.epoch !== state.epoch || !isKept(hub.place, state.oldestTick)) {
        hub.start({ ...state, at: state.tickedAt });
        continue;
      }
      if (tick >= state.tick && position === undefined) return { tick: state.tick, hasMoved };
      const ticks = await readTicks(client, position === undefined ? tick : tick - 1, TICKS_AT_ONCE);
      if (ticks.length === 0) return { tick: state.tick, hasMoved };
      for (const stored of ticks) if (!(await this.takeStored(client, state.epoch, stored))) break;
    }
  }

  /** False when the tick is no longer kept whole. */
  private async takeStored(client: pg.Client, epoch: string, stored: StoredTick): Promise<boolean> {
    const { tick, position } = this.hub.place;
    const reader = new TickReader(client, this.tables, stored, {
      after: tick === stored.tick ? (position ?? 0) : 0,
    });
    for (;;) {
      const { changes, hasMore, oldestTick } = await reader.next();
      if (oldestTick >= stored.tick) return false;
      this.take({ ...stored, epoch, changes, isLast: !hasMore });
      if (!hasMore) return true;
    }
  }

  /** Ticks may come by Redis and from PostgreSQL at once; each part is taken once, in its place. */
  private take(part: TickPart): void {
    const { hub } = this;
    if (part.epoch !== hub.epoch || part.tick < hub.place.tick) return;
    if (part.tick === hub.place.tick && hub.place.position === undefined) return;
    const reached = hub.place.tick === part.tick ? (hub.place.position ?? 0) : 0;
    hub.accept({ ...part, changes: part.changes.filter(({ seq }) => seq > reached) });
  }

  /** A part that another process has sent. It may come late, twice, or not at all. */
  takeBroadcast(part: BroadcastPart): void {
    if (part.epoch !== this.hub.epoch) return;
    const { tick, position } = this.hub.place;
    const begins = part.after === 0 && part.previous === tick && position === undefined;
    const continues = part.tick === tick && part.after === position;
    if (begins || continues) this.take(part);
    else if (part.tick > tick) this.ring(); // one is missing: it is read from PostgreSQL now
  }
}

/** Whether all that follows the place is kept. */
function isKept({ tick, position }: Place, oldestTick: number): boolean {
  return position === undefined ? tick >= oldestTick : tick > oldestTick;
}
