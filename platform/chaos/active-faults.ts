/** The faults that a process of a domain knows to last. */
import type { FaultRow } from './fault.ts';
import type { FaultKind } from './kinds.ts';

export interface ActiveFaults {
  /** Whether the domain takes faults at all. */
  readonly isEnabled: boolean;
  /** Those of a kind that last now, by the clock of this process. */
  of(kind: FaultKind): readonly FaultRow[];
  /** Reads anew what is stored, so that what was injected just now is honoured here. Never rejects. */
  refresh(): Promise<void>;
}

/** Where chaos is off: stored faults are not even read. */
export const NO_FAULTS: ActiveFaults = { isEnabled: false, of: () => [], refresh: async () => undefined };
