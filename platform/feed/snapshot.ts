/** PostgreSQL's snapshots, read from their text "xmin:xmax:xip,xip": which transactions they see. */
export interface Snapshot {
  /** Every transaction below is seen, unless it was rolled back. */
  xmin: number;
  /** No transaction from here on is seen. */
  xmax: number;
  /** Transactions between the two that were under way. */
  underWay: ReadonlySet<number>;
  text: string;
}

/** @throws Error when the text is no snapshot */
export function parseSnapshot(text: string): Snapshot {
  const [xmin, xmax, list] = text.split(':');
  if (xmin === undefined || xmax === undefined || list === undefined) throw new Error(`Not a snapshot: "${text}"`);
  const underWay = new Set(list === '' ? [] : list.split(',').map(Number));
  return { xmin: Number(xmin), xmax: Number(xmax), underWay, text };
}

/** Whether what the transaction committed is seen. */
export function sees({ xmin, xmax, underWay }: Snapshot, xid: number): boolean {
  return xid < xmin || (xid < xmax && !underWay.has(xid));
}

/** Whether `later` sees all that `earlier` sees: nothing that is new to it can be old to `earlier`. */
export function covers(later: Snapshot, earlier: Snapshot): boolean {
  if (later.xmax < earlier.xmax) return false;
  for (const xid of later.underWay) if (sees(earlier, xid)) return false;
  return true;
}

/** Whether `a` was taken after `b`, of one database. */
export function isLater(a: Snapshot, b: Snapshot): boolean {
  return a.xmax > b.xmax || (a.xmax === b.xmax && (a.xmin > b.xmin || a.underWay.size < b.underWay.size));
}
