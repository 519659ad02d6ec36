/** Which transactions PostgreSQL's snapshots see, and which place a cursor names. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareCursors, formatCursor, parseCursor, snapshotCursor } from '../../../platform/feed/cursor.ts';
import { covers, isLater, parseSnapshot, type Snapshot, sees } from '../../../platform/feed/snapshot.ts';

/** A history: transactions begin and end, and snapshots are taken in between, in order. */
const histories = fc.array(fc.oneof(fc.constant('begin'), fc.nat(20), fc.constant('snapshot')), { maxLength: 60 });

function snapshotsOf(history: readonly (string | number)[]): Snapshot[] {
  const underWay = new Set<number>();
  const snapshots: Snapshot[] = [];
  let next = 100;
  for (const step of history) {
    if (step === 'begin') underWay.add(next++);
    else if (typeof step === 'number') underWay.delete([...underWay][step] ?? 0);
    else snapshots.push(parseSnapshot(`${Math.min(next, ...underWay)}:${next}:${[...underWay].join(',')}`));
  }
  return snapshots;
}

describe('snapshots', () => {
  it('see what had ended', () => {
    const snapshot = parseSnapshot('10:14:10,12');
    expect([9, 10, 11, 12, 13, 14, 15].map((xid) => sees(snapshot, xid))).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
    expect(() => parseSnapshot('10')).toThrow('Not a snapshot: "10"');
  });

  it('cover what was taken before them, and nothing that sees more', () => {
    const xids = Array.from({ length: 80 }, (_, i) => i + 90);
    fc.assert(
      fc.property(histories, (history) => {
        const snapshots = snapshotsOf(history);
        snapshots.forEach((later, i) => {
          for (const earlier of snapshots.slice(0, i)) {
            expect(covers(later, earlier)).toBe(true); // be a transaction under way as long as it may
            expect(isLater(earlier, later)).toBe(false);
            const seesMore = xids.some((xid) => sees(later, xid) && !sees(earlier, xid));
            expect(covers(earlier, later)).toBe(!seesMore && earlier.xmax === later.xmax);
          }
        });
      }),
    );
  });
});

describe('cursors', () => {
  const cursors = fc.record(
    {
      epoch: fc.constantFrom('0', 'abc123'),
      tick: fc.nat(),
      position: fc.nat(),
      mask: fc.constantFrom('5:9:5,7', '5:5:'),
    },
    { requiredKeys: ['epoch', 'tick'] },
  );

  it('are read as they were written', () => {
    fc.assert(
      fc.property(cursors, (cursor) => {
        expect(parseCursor(formatCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  it.each([
    '',
    'abc',
    'abc.',
    'abc.x',
    'abc.1.',
    'abc.1~',
    'abc.1~5',
    'abc.-1',
    'abc.1.2.3',
    'xyz.1',
    ' abc.1',
    'abc.12345678901234567',
  ])('are none: "%s"', (text) => expect(parseCursor(text)).toBeNull());

  it('of a snapshot’s rows lead nowhere', () => expect(parseCursor(snapshotCursor('abc'))).toBeNull());

  it('are in the order of their places, a whole tick after its changes', () => {
    const places = [
      { tick: 1, position: 9 },
      { tick: 1 },
      { tick: 2, position: 3 },
      { tick: 2, position: 4 },
      { tick: 2 },
    ];
    expect(places.toReversed().toSorted(compareCursors)).toEqual(places);
  });
});
