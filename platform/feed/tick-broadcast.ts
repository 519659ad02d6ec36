/** Ticks on their way to other processes. */
import type { TickPart } from './change.ts';

/** No tick's number, and no sequence number. */
export const NOTHING = -1;

/** A part as it goes to other processes: it says what it follows. */
export interface BroadcastPart extends TickPart {
  /** The tick before; NOTHING when the part does not join on to what its readers have. */
  previous: number;
  /** Sequence number of the last change of the part before, within the tick; 0 for the first part. */
  after: number;
}

/** How ticks get to other processes beside the way through PostgreSQL. */
export interface TickBroadcast {
  /** May fail without a word: what does not arrive is read from PostgreSQL. */
  publish(part: BroadcastPart): void;
  /** Calls `accept` with each part that comes; parts may be missing or come twice. */
  follow(accept: (part: BroadcastPart) => void): void;
  /** Whether parts come in by now. */
  isConnected(): boolean;
  close(): Promise<void>;
}
