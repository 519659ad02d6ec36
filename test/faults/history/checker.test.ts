/** The checker itself: what it passes, and each thing that it must catch. */
import { describe, expect, it } from 'vitest';
import { check } from './checker.ts';
import type { ChangeKind, Received, Session, Subscriber, Transaction, Write } from './history.ts';

/** "a1.2" is version 2 of the first life of row a; "-a1.2" is the deletion that followed it. */
function write(text: string): Write {
  const [, minus, key, life, version] = /^(-?)([a-z])(\d)\.(\d)$/.exec(text) as unknown as string[];
  const op = minus ? 'DELETE' : 'UPSERT';
  return { key: key as string, op, life: Number(life), version: Number(version), value: `${life}.${version}` };
}

/** Transactions that begin at the given times and take one millisecond. */
function committed(writes: Record<number, string>, outcome: Transaction['outcome'] = 'committed'): Transaction[] {
  return Object.entries(writes).map(([at, list]) => ({
    topic: 'orders',
    begunAt: Number(at),
    endedAt: Number(at) + 1,
    outcome,
    writes: list.split(' ').map(write),
  }));
}

const KINDS: Record<string, ChangeKind> = { '+': 'SNAPSHOT', '.': 'PROGRESS', '!': 'RESYNC' };

/**
 * A session that starts at a time, its events a millisecond apart: "+a1.1" a snapshot's row, "." PROGRESS, "!" RESYNC,
 * else a change. Cursors count up by themselves.
 */
function session(startedAt: number, stream: string, after: string | null = null): Session {
  const events = stream.split(' ').map((text, index): Received => {
    const kind = KINDS[text[0] as string] ?? (text.startsWith('-') ? 'DELETE' : 'UPSERT');
    const cursor = kind === 'SNAPSHOT' ? 'e.snapshot' : `e.${startedAt + index}`;
    const hasItem = kind !== 'PROGRESS' && kind !== 'RESYNC';
    return { kind, cursor, at: startedAt + index, write: hasItem ? write(text.replace('+', '')) : null };
  });
  return { after, startedAt, events };
}

function subscriber(sessions: Session[], more: Partial<Subscriber> = {}): Subscriber {
  return { name: 's', topic: 'orders', mode: 'lossless', concerns: () => true, isSettled: true, sessions, ...more };
}

const HISTORY = committed({ 1: 'a1.1', 10: 'b1.1', 20: 'a1.2', 30: '-b1.1', 40: 'a1.3', 50: 'b2.1' });

function verdict(subscribers: Subscriber[], history = HISTORY): string[] {
  return check(history, subscribers).violations.map(({ kind, detail }) => `${kind}: ${detail}`);
}

describe('a lossless stream', () => {
  it('passes whole, from the beginning or after a snapshot', () => {
    expect(verdict([subscriber([session(0, '. a1.1 b1.1 a1.2 -b1.1 a1.3 b2.1')])])).toEqual([]);
    expect(verdict([subscriber([session(15, '+a1.1 +b1.1 . a1.2 -b1.1 . a1.3 b2.1')])])).toEqual([]);
    expect(verdict([subscriber([session(100, '+a1.3 +b2.1 .')])])).toEqual([]);
  });

  it('passes when it goes on by its cursor, and when it begins anew as it is told', () => {
    expect(verdict([subscriber([session(0, '. a1.1 b1.1'), session(25, 'a1.2 -b1.1 a1.3 b2.1', 'e.2')])])).toEqual([]);
    expect(verdict([subscriber([session(0, '. a1.1 b1.1'), session(60, '! +a1.3 +b2.1 .', 'e.2')])])).toEqual([]);
  });

  it('passes what a snapshot may or may not show while it is read', () => {
    const history = committed({ 1: 'a1.1', 7: 'b1.1', 8: '-b1.1', 9: 'b2.1' });
    for (const stream of ['+a1.1 . b1.1 -b1.1 b2.1', '+a1.1 +b1.1 . -b1.1 b2.1', '+a1.1 . b2.1', '+a1.1 +b2.1 .'])
      expect(verdict([subscriber([session(9, stream)])], stretched(history))).toEqual([]);
  });

  it.each([
    ['a change that never came', '. a1.1 b1.1 a1.2 -b1.1 b2.1', 'lost: a UPSERT 1.3 "1.3" never arrived'],
    [
      'a change left out',
      '. a1.1 b1.1 -b1.1 a1.3 b2.1',
      'lost: a UPSERT 1.3 "1.3" arrived without a UPSERT 1.2 "1.2" before it',
    ],
    [
      'a deletion left out',
      '. a1.1 b1.1 a1.2 a1.3 b2.1',
      'lost: b UPSERT 2.1 "2.1" arrived without b DELETE 1.1 "1.1" before it',
    ],
    ['a repeat', '. a1.1 b1.1 b1.1 a1.2 -b1.1 a1.3 b2.1', 'repeated: b UPSERT 1.1 "1.1" arrived again'],
    [
      'a change from nowhere',
      '. a1.1 b1.1 a1.2 -b1.1 a1.3 c1.1 b2.1',
      'phantom: c UPSERT 1.1 "1.1", which was never committed',
    ],
    [
      'a snapshot item without a snapshot',
      '. a1.1 b1.1 a1.2 -b1.1 a1.3 +a1.3 b2.1',
      'grammar: SNAPSHOT of a UPSERT 1.3 "1.3" after the snapshot was whole',
    ],
    [
      'a change within a snapshot',
      'a1.1 . b1.1 a1.2 -b1.1 a1.3 b2.1',
      'grammar: a UPSERT 1.1 "1.1" before the snapshot was whole',
    ],
  ])('is caught with %s', (_, stream, violation) => {
    expect(verdict([subscriber([session(0, stream)])])).toContain(violation);
  });

  it('is caught when a row goes back', () => {
    expect(verdict([subscriber([session(0, '. a1.1 b1.1 -b1.1 a1.2 b1.1 a1.3 b2.1')])])).toEqual([
      'inverted: b UPSERT 1.1 "1.1" arrived after b DELETE 1.1 "1.1"',
    ]);
  });

  it('is caught with a gap or a repeat where the snapshot ends', () => {
    expect(verdict([subscriber([session(15, '+a1.1 +b1.1 . -b1.1 a1.3 b2.1')])])).toEqual([
      'lost: a UPSERT 1.3 "1.3" arrived without a UPSERT 1.2 "1.2" before it',
    ]);
    expect(verdict([subscriber([session(15, '+a1.1 +b1.1 . a1.1 a1.2 -b1.1 a1.3 b2.1')])])).toEqual([
      'repeated: a UPSERT 1.1 "1.1" arrived again',
    ]);
  });

  it('is caught with a snapshot that is older than the question', () => {
    expect(verdict([subscriber([session(35, '+a1.1 . a1.2 a1.3 b2.1')])])).toEqual([
      'stale snapshot: a UPSERT 1.1 "1.1" is older than what was known when it was asked for',
    ]);
    expect(verdict([subscriber([session(35, '. a1.3 b2.1')])])).toEqual([
      'stale snapshot: a snapshot lacks a UPSERT 1.2 "1.2", which was there',
    ]);
  });

  it('is caught when it loses or repeats something where it goes on', () => {
    const before = session(0, '. a1.1 b1.1');
    expect(verdict([subscriber([before, session(25, '-b1.1 a1.3 b2.1', 'e.2')])])).toEqual([
      'lost: a UPSERT 1.3 "1.3" arrived without a UPSERT 1.2 "1.2" before it',
    ]);
    expect(verdict([subscriber([before, session(25, 'b1.1 a1.2 -b1.1 a1.3 b2.1', 'e.2')])])).toEqual([
      'repeated: b UPSERT 1.1 "1.1" arrived again',
    ]);
  });

  it('is caught when it goes on from the midst of a snapshot', () => {
    const sessions = [session(15, '+a1.1'), session(25, '. a1.2 -b1.1 a1.3 b2.1', 'e.snapshot')];
    expect(verdict([subscriber(sessions)])).toContain(
      'grammar: PROGRESS where a RESYNC had to come: the subscriber had no cursor to go on from',
    );
  });

  it('is caught with what was rolled back, whole or to a savepoint', () => {
    const history = [...committed({ 1: 'a1.1', 20: 'a1.2' }), ...committed({ 5: 'b1.1' }, 'rolled back')];
    expect(verdict([subscriber([session(0, '. a1.1 b1.1 a1.2')])], history)).toEqual([
      'phantom: b UPSERT 1.1 "1.1", which was never committed',
    ]);
    const [first, second] = committed({ 1: 'a1.1', 20: 'a1.2' });
    const other = { ...(second as Transaction), writes: [{ ...write('a1.2'), value: 'after the savepoint' }] };
    expect(verdict([subscriber([session(0, '. a1.1 a1.2')])], [first as Transaction, other])).toContain(
      'phantom: a UPSERT 1.2 "1.2", which was never committed',
    );
  });

  it('is caught with rows that it did not ask for', () => {
    const onlyA = subscriber([session(0, '. a1.1 b1.1 a1.2 a1.3')], { concerns: (key) => key === 'a' });
    expect(verdict([onlyA])).toEqual(['phantom: b UPSERT 1.1 "1.1" was not asked for']);
  });

  it('owes nothing yet while it is under way', () => {
    expect(verdict([subscriber([session(0, '. a1.1')], { isSettled: false })])).toEqual([]);
  });
});

describe('a conflated stream', () => {
  const conflated = (stream: string) => [subscriber([session(0, stream)], { mode: 'conflated' as const })];

  it('passes with the last state of each row, whatever is left out before', () => {
    expect(verdict(conflated('. a1.1 b1.1 a1.3 b2.1'))).toEqual([]);
    expect(verdict(conflated('. b2.1 a1.3'))).toEqual([]);
    expect(verdict(conflated('. a1.1'), committed({ 1: 'a1.1', 10: 'b1.1', 20: '-b1.1' }))).toEqual([]);
  });

  it('is caught without the last state of a row', () => {
    expect(verdict(conflated('. a1.2 b2.1'))).toEqual([`lost: the row's last state a UPSERT 1.3 "1.3" never arrived`]);
    expect(verdict(conflated('. a1.1 b1.1'), committed({ 1: 'a1.1', 10: 'b1.1', 20: '-b1.1' }))).toEqual([
      `lost: the row's last state b DELETE 1.1 "1.1" never arrived`,
    ]);
  });

  it('is caught when a row goes back', () => {
    expect(verdict(conflated('. a1.2 a1.1 a1.3 b2.1'))).toEqual([
      'inverted: a UPSERT 1.1 "1.1" arrived after a UPSERT 1.2 "1.2"',
    ]);
  });
});

describe('cursors', () => {
  const told = (cursors: string[]) =>
    subscriber([
      {
        after: null,
        startedAt: 0,
        events: ['.', 'a1.1', 'b1.1'].map((text, index) => ({
          kind: text === '.' ? 'PROGRESS' : 'UPSERT',
          cursor: cursors[index] as string,
          at: index,
          write: text === '.' ? null : write(text),
        })),
      },
    ]);
  const history = committed({ 1: 'a1.1', 10: 'b1.1' });

  it('go forwards, within an epoch', () => {
    expect(verdict([told(['e.7', 'e.8.1', 'e.8.2'])], history)).toEqual([]);
    expect(verdict([told(['e.7', 'e.8.1', 'f.2.2'])], history)).toEqual([]);
    expect(verdict([told(['e.7', 'e.8.5', 'e.8.2'])], history)).toEqual(['cursor: UPSERT at e.8.2 came after e.8.5']);
    expect(verdict([told(['e.8', 'e.8.1', 'e.9.2'])], history)).toEqual(['cursor: UPSERT at e.8.1 came after e.8.end']);
  });

  it('that belong to one snapshot are not compared', () => {
    expect(verdict([told(['e.7~1:9:', 'e.5.1', 'e.5.2'])], history)).toEqual([]);
  });

  it('name one change for everybody', () => {
    expect(verdict([told(['e.7', 'e.8.1', 'e.8.2']), told(['e.7', 'e.8', 'e.8.1'])], history)).toContain(
      'cursor: e.8.1 is the cursor of orders b UPSERT 1.1 "1.1" and of orders a UPSERT 1.1 "1.1"',
    );
  });
});

describe('the accounts of the writers', () => {
  it('must fit together', () => {
    expect(() => verdict([subscriber([])], committed({ 1: 'a1.1', 5: 'a1.3' }))).toThrow('cannot follow');
    expect(() => verdict([subscriber([])], committed({ 1: 'a1.1' }, 'unknown'))).toThrow('must be found out');
  });
});

/** The same transactions, each of which may have been committed at any time until the last one ends. */
function stretched(history: Transaction[]): Transaction[] {
  const [first, ...rest] = history;
  return [first as Transaction, ...rest.map((transaction) => ({ ...transaction, endedAt: 100 }))];
}
