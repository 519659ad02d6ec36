import type { CapturedTables } from './captured-tables.ts';
import type { TickPart } from './change.ts';
import type { Snapshot } from './snapshot.ts';
import type { BroadcastPart } from './tick-broadcast.ts';

/** Something in this process that is kept in step with the feed (the cache). It is told before any listener. */
export interface Mirror {
  /** What the feed knows of its tables; before anything else. */
  learn(tables: CapturedTables): void;
  /** What was known is void: what comes follows this tick of this epoch, and `snapshot` sees what will not come. */
  begin(epoch: string, tick: number, snapshot: Snapshot): void;
  /** The next part of the next tick. */
  take(part: TickPart): void;
  /** The same, in the process that leads only: part of what it has found, and of what it begins with. */
  lead(part: BroadcastPart): void;
  /** Also in the process that leads: nothing has happened. */
  rest(): void;
}
