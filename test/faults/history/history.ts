/** What is written down while writers, subscribers and faults are at work. Times are milliseconds of one clock. */

/** One change of one row, by what tells it from every other change. */
export interface Write {
  key: string;
  op: 'UPSERT' | 'DELETE';
  /** Grows each time the row is inserted anew, when its version begins again. */
  life: number;
  /** The row's version; of a deleted row its last. */
  version: number;
  /** A text that no other write of the key carries; of a deleted row its last. */
  value: string;
  /** Set where a snapshot does not list the row in this state, as an order that is done. */
  isUnlisted?: true;
}

/** What a writer was promised by the database. */
export interface Transaction {
  topic: TopicName;
  begunAt: number;
  /** When the writer knew the outcome. */
  endedAt: number;
  /** `unknown` when the connection broke in the commit. */
  outcome: 'committed' | 'rolled back' | 'unknown';
  /** In the order in which they were made. */
  writes: Write[];
  /** PostgreSQL's number of it, and what it leaves in the table of marks: by these an unknown outcome is found out. */
  xid?: string;
  mark?: string;
}

export type TopicName = 'orders' | 'trades' | 'positions';

export type ChangeKind = 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';

/** One event as a subscriber received it; `write` is null where it has no item. */
export interface Received {
  kind: ChangeKind;
  cursor: string;
  at: number;
  write: Write | null;
}

/** One subscription, from its start until it was left or broke. */
export interface Session {
  /** Cursor it went on from; null when it began anew. */
  after: string | null;
  startedAt: number;
  events: Received[];
}

/** All that one subscriber received, in the order of its sessions. */
export interface Subscriber {
  name: string;
  topic: TopicName;
  /** Whether it was promised every change, or only each row's latest. */
  mode: 'lossless' | 'conflated';
  /** Rows that its snapshots hold at most, the newest; others hold all that are listed. */
  snapshotRows?: number | undefined;
  /** Which rows it asked for. */
  concerns: (key: string) => boolean;
  sessions: Session[];
  /** Whether it listened until everything written had to have reached it. */
  isSettled: boolean;
}

export type ViolationKind =
  /** A committed change never arrived, or not before one that followed it on the row. */
  | 'lost'
  /** Something arrived that was never committed, or that was not asked for. */
  | 'phantom'
  /** A row went back to an earlier state. */
  | 'inverted'
  /** A change arrived twice. */
  | 'repeated'
  /** A snapshot lacks what was committed before it was asked for, or shows what was gone. */
  | 'stale snapshot'
  /** Events came in an order that no stream may have. */
  | 'grammar'
  /** A cursor went backwards, or names two different changes. */
  | 'cursor';

export interface Violation {
  kind: ViolationKind;
  subscriber: string;
  /** One sentence with the row, versions and times. */
  detail: string;
}
