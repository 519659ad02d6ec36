/** Ticks made by hand, for the parts of the feed that need no database. */
import type { RowChange, TickPart } from '../../../platform/feed/change.ts';
import type { Hub, Listener, Place } from '../../../platform/feed/hub.ts';
import { parseSnapshot } from '../../../platform/feed/snapshot.ts';

const AT = '2026-01-01T00:00:00Z';

export function change(
  seq: number,
  { xid = seq, relation = 'positions', row = {}, was = null }: Partial<RowChange> = {},
) {
  return { seq, xid, relation, op: 'U' as const, key: String(row.id ?? seq), row, was, at: AT, trace: null };
}

/** A tick of the transactions from `since` up to `until`. */
export function tick(id: number, since: number, until: number, changes: RowChange[] = []): TickPart {
  return {
    epoch: 'e',
    tick: id,
    since: parseSnapshot(`${since}:${since}:`),
    snapshot: parseSnapshot(`${until}:${until}:`),
    at: AT,
    changes,
    isLast: true,
  };
}

/** Where a leader begins: everything below `xid` is stored. */
export const opening = (id: number, xid: number) => tick(id, xid, xid);

export interface Heard {
  heard: string[];
  listener: Listener;
}

/** A listener that writes down what it hears. */
export function attach(hub: Hub, options: Partial<Pick<Listener, 'relation' | 'route'>> = {}): Heard {
  const heard: string[] = [];
  const spot = ({ tick, position }: Place) => (position === undefined ? `${tick}` : `${tick}.${position}`);
  const listener: Listener = {
    relation: 'positions',
    ...options,
    offer: (_, place) => heard.push(spot(place)),
    settle: () => undefined,
    reset: () => heard.push('reset'),
    beat: () => heard.push('beat'),
    end: () => heard.push('end'),
  };
  hub.attach(listener);
  return { heard, listener };
}
