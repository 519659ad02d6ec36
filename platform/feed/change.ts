import type { CapturedTable } from './captured-tables.ts';
import type { Snapshot } from './snapshot.ts';

/** A row as the feed carries it: JSON-safe, camelCase, like every row of the platform (database/rows.ts). */
export type Image = Readonly<Record<string, unknown>>;

/** One committed change of one row. */
export interface RowChange {
  /** Orders the changes of a tick, and those of a row for ever. */
  seq: number;
  /** The transaction that made it. */
  xid: number;
  /** Table. */
  relation: string;
  op: 'I' | 'U' | 'D';
  key: string;
  /** The row after the change; of a deleted row its last image. */
  row: Image;
  /** Columns by which readers choose, as they were before, when one of them changed. */
  was: Image | null;
  /** When it was written, RFC 3339. */
  at: string;
  /** Of the request that made it: a W3C traceparent, or a trace id alone; null where its writer named none. */
  trace: string | null;
}

/** A tick, or a part of a large one. */
export interface TickPart {
  epoch: string;
  tick: number;
  /** The changes are what `snapshot` sees and `since` does not. */
  since: Snapshot;
  snapshot: Snapshot;
  /** Everything committed until then is in this tick or in one before; RFC 3339. */
  at: string;
  changes: readonly RowChange[];
  /** Whether the tick ends with this part. */
  isLast: boolean;
}

/** The row of an image as the log has it: its instants are in UTC without a zone. */
export function readImage(image: string, table: CapturedTable | undefined): Image {
  const row = JSON.parse(image) as Record<string, unknown>;
  for (const name of table?.instants ?? []) if (typeof row[name] === 'string') row[name] = `${row[name]}Z`;
  return row;
}
