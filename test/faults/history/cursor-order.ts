/** Cursors within a stream never go backwards, and one cursor names one change for every subscriber of a topic. */
import { type Cursor, compareCursors, parseCursor } from '../../../platform/feed/cursor.ts';
import type { Session, Subscriber, Violation } from './history.ts';
import { nameOf } from './truth.ts';

export function checkCursors(subscribers: readonly Subscriber[]): Violation[] {
  const violations: Violation[] = [];
  const named = new Map<string, string>();
  for (const subscriber of subscribers) {
    const report = (detail: string) => violations.push({ kind: 'cursor', subscriber: subscriber.name, detail });
    for (const session of subscriber.sessions) {
      const backwards = firstBackwards(session);
      if (backwards) report(backwards);
      // A row's latest state may travel under a later cursor than the change that made it.
      if (subscriber.mode === 'conflated') continue;
      for (const { kind, cursor, write } of session.events) {
        if ((kind !== 'UPSERT' && kind !== 'DELETE') || !write || !comparable(cursor)) continue;
        const name = `${subscriber.topic} ${nameOf(write)}`;
        const other = named.get(cursor);
        if (other === undefined) named.set(cursor, name);
        else if (other !== name) report(`${cursor} is the cursor of ${name} and of ${other}`);
      }
    }
  }
  return violations;
}

/** A cursor that belongs to one's own snapshot cannot be compared, nor can two of different epochs. */
function firstBackwards(session: Session): string | null {
  let last: Cursor | null = comparable(session.after ?? '');
  for (const { kind, cursor } of session.events) {
    if (kind === 'SNAPSHOT' || kind === 'RESYNC') {
      last = null;
      continue;
    }
    const next = comparable(cursor);
    if (!next) continue;
    if (last?.epoch === next.epoch && compareCursors(last, next) > 0) {
      return `${kind} at ${cursor} came after ${last.epoch}.${last.tick}.${last.position ?? 'end'}`;
    }
    last = next;
  }
  return null;
}

function comparable(text: string): Cursor | null {
  const cursor = parseCursor(text);
  return cursor?.mask === undefined ? cursor : null;
}
