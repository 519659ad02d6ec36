/**
 * Where a reader stands in a domain's change feed, as text that is opaque to clients:
 * `<epoch>.<tick>[.<position>][~<mask>]`.
 */
export interface Cursor {
  /** The history that the tick belongs to; another database, or an earlier state of it, is another history. */
  epoch: string;
  tick: number;
  /** Sequence number of the last change seen within the tick; absent when the tick is seen whole. */
  position?: number;
  /**
   * A snapshot that was read after the tick, as PostgreSQL writes it: changes that it sees have been told already. Only
   * the reader whose snapshot it was can go on from here.
   */
  mask?: string;
}

const CURSOR = /^([0-9a-f]+)\.(\d{1,16})(?:\.(\d{1,16}))?(?:~(\d+:\d+:[\d,]*))?$/;

/** The cursor that the text is, or null: also for one out of the midst of a snapshot, from which nobody can go on. */
export function parseCursor(text: string): Cursor | null {
  const match = CURSOR.exec(text);
  if (!match) return null;
  const [, epoch = '', tick, position, mask] = match;
  return {
    epoch,
    tick: Number(tick),
    ...(position !== undefined && { position: Number(position) }),
    ...(mask !== undefined && { mask }),
  };
}

export function formatCursor({ epoch, tick, position, mask }: Cursor): string {
  const place = position === undefined ? `${epoch}.${tick}` : `${epoch}.${tick}.${position}`;
  return mask === undefined ? place : `${place}~${mask}`;
}

/** What the items of a snapshot carry: whoever goes on from there begins anew. */
export function snapshotCursor(epoch: string): string {
  return `${epoch}.snapshot`;
}

type Place = Pick<Cursor, 'tick' | 'position'>;

/** Negative when `a` comes before `b`; both of one epoch. */
export function compareCursors(a: Place, b: Place): number {
  if (a.tick !== b.tick) return a.tick - b.tick;
  if (a.position === b.position) return 0;
  return (a.position ?? Number.POSITIVE_INFINITY) - (b.position ?? Number.POSITIVE_INFINITY);
}
