/**
 * What commands of this process have written and the feed has not brought yet. Whoever reads here after a command was
 * answered reads PostgreSQL where the command has written, for the few milliseconds until then.
 */
import { named, type Sql, sql } from '../database/sql.ts';
import type { Image, RowChange } from '../feed/change.ts';
import { type Snapshot, sees } from '../feed/snapshot.ts';
import type { Fence } from './fence.ts';

/** Rows of one command that are noted; what a larger one has written the feed brings. */
const ROWS_LIMIT = 50;

/** A transaction of which nothing has been heard for so long was rolled back. */
const PATIENCE_MS = 60_000; // a minute

type Written = Pick<RowChange, 'relation' | 'key' | 'row' | 'was'>;

interface LogRow {
  xid: string;
  /** Null where nothing was written. */
  relation: string | null;
  key: string;
  image: string;
  was: string | null;
}

export interface Transactional {
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
}

/** The transaction's number, and what it has written so far: null where that is too much to note. */
export async function readOwnWrites(tx: Transactional): Promise<{ xid: number; writes: Written[] | null }> {
  const rows = await tx.$queryRaw<LogRow[]>(named('own writes', sql`select * from own_writes(${ROWS_LIMIT + 1}::int)`));
  const xid = Number(rows[0]?.xid);
  if (rows.length > ROWS_LIMIT) return { xid, writes: null };
  const writes = rows.flatMap(({ relation, key, image, was }) =>
    relation === null ? [] : [{ relation, key, row: parse(image), was: was === null ? null : parse(was) }],
  );
  return { xid, writes };
}

function parse(image: string): Image {
  return JSON.parse(image) as Image;
}

export class OwnWrites {
  private readonly fence: Fence;
  private readonly byXid = new Map<number, { places: number[]; since: number }>();
  /** What the feed has brought. */
  private seen: Snapshot | null = null;

  constructor(fence: Fence) {
    this.fence = fence;
  }

  /** Before the command is answered. The feed may have been faster. */
  hold(xid: number, places: number[]): void {
    if (this.seen && sees(this.seen, xid)) return;
    const now = Date.now();
    for (const [oldest, { since }] of this.byXid) {
      if (now - since < PATIENCE_MS) break;
      this.release(oldest);
    }
    this.byXid.set(xid, { places, since: now });
    for (const place of places) this.fence.hold(place);
  }

  /** The feed has brought what the snapshot sees. */
  releaseSeen(snapshot: Snapshot): void {
    this.seen = snapshot;
    for (const xid of this.byXid.keys()) if (sees(snapshot, xid)) this.release(xid);
  }

  private release(xid: number): void {
    const held = this.byXid.get(xid);
    if (!held) return;
    this.byXid.delete(xid);
    for (const place of held.places) this.fence.release(place);
  }
}
