/** Sealing and verifying: whatever is done to a chain afterwards is found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, readJson } from '../../../subgraphs/audit/rules/canonical.ts';
import {
  type EventContent,
  GENESIS_HASH,
  type Head,
  hashOf,
  type SealedEvent,
  seal,
} from '../../../subgraphs/audit/rules/chain.ts';
import { type Anchor, type Verdict, verifyRows } from '../../../subgraphs/audit/rules/verification.ts';
import { content, tamperings } from './tampering.ts';

describe('canonical JSON', () => {
  it('orders keys by their UTF-16 units and has no blanks (RFC 8785 §3.2.3)', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  it('writes numbers and texts as RFC 8785 §3.2.2 does', () => {
    const value = { numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27], text: '\u20ac$\u000f\nA\'B"\\\\"/' };
    expect(canonicalJson(value)).toBe(
      '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"text":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('is one text for equal values, however they are written, and another for others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(canonicalJson(readJson(JSON.stringify(a)))).toBe(canonicalJson(a));
        const isSame = canonicalJson(a) === canonicalJson(b);
        expect(isSame).toBe(
          canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(JSON.parse(JSON.stringify(b))),
        );
      }),
    );
  });

  it('tells numbers apart that one double stands for', () => {
    expect(readJson('{"a": 0.1, "b": 1000000000000000000000, "c": 1.50}')).toEqual({ a: 0.1, b: 1e21, c: 1.5 });
    expect(readJson('0.10000000000000000001')).toBe('number:0.10000000000000000001');
    expect(readJson('9007199254740993')).toBe('number:9007199254740993');
  });
});

const AT = '2026-01-01T00:00:00Z';
const EMPTY: Head = { chainId: 'audit:trading', sequence: 0, hash: GENESIS_HASH };

function chainOf(length: number): { events: SealedEvent[]; head: Head } {
  const contents = Array.from({ length }, (_, i): EventContent => content(i));
  return seal(EMPTY, contents, AT);
}

const verify = (events: readonly SealedEvent[], head: Head, anchors: Anchor[] = []): Promise<Verdict> =>
  verifyRows(events, { from: 1, to: null, head, anchors });

describe('a chain', () => {
  it('begins with 64 zeros, and each event covers the one before it', () => {
    const { events, head } = chainOf(3);
    expect(events[0]?.prevHash).toBe('0'.repeat(64));
    expect(events.map(({ sequence }) => sequence)).toEqual(['1', '2', '3']);
    expect(events[1]?.prevHash).toBe(events[0]?.hash);
    expect(head).toEqual({ chainId: 'audit:trading', sequence: 3, hash: events[2]?.hash });
    expect(hashOf(GENESIS_HASH, events[0] as SealedEvent)).toBe(events[0]?.hash);
  });

  it('is valid as it was sealed, whole and in part', async () => {
    const { events, head } = chainOf(20);
    const anchors = [{ sequence: 10, hash: events[9]?.hash as string }];
    expect(await verify(events, head, anchors)).toEqual({ isValid: true, checkedCount: 20, firstBreak: null });
    const part = await verifyRows(events.slice(4, 9), {
      from: 5,
      to: 9,
      head,
      anchors,
      previousHash: events[3]?.hash,
    });
    expect(part).toEqual({ isValid: true, checkedCount: 5, firstBreak: null });
    expect(await verify([], EMPTY)).toEqual({ isValid: true, checkedCount: 0, firstBreak: null });
  });

  it.each([
    ['content', 7, (rows: SealedEvent[]) => rows.map((row, i) => (i === 6 ? { ...row, eventType: 'other' } : row))],
    ['gap', 7, (rows: SealedEvent[]) => rows.toSpliced(6, 2)],
    ['truncation', 16, (rows: SealedEvent[]) => rows.slice(0, 15)],
    [
      'order',
      7,
      (rows: SealedEvent[]) => {
        const [a, b] = [rows[6] as SealedEvent, rows[11] as SealedEvent];
        return rows.with(6, { ...b, sequence: a.sequence }).with(11, { ...a, sequence: b.sequence });
      },
    ],
    [
      'forged',
      20,
      (rows: SealedEvent[]) => [...rows.slice(0, 19), ...seal(headAt(rows, 19), [content(99)], AT).events],
    ],
    ['forged', 7, (rows: SealedEvent[]) => [...rows, rows[6] as SealedEvent]],
  ] as const)('says %s, and where: %i', async (kind, sequence, tamper) => {
    const { events, head } = chainOf(20);
    const verdict = await verify(tamper(events), head);
    expect(verdict).toMatchObject({ isValid: false, firstBreak: { kind, sequence } });
  });

  it('that was cut off, head and all, is found by its anchor', async () => {
    const { events } = chainOf(20);
    const anchors = [{ sequence: 18, hash: events[17]?.hash as string }];
    const cut = await verify(events.slice(0, 15), headAt(events, 15), anchors);
    expect(cut.firstBreak).toMatchObject({ kind: 'truncation', sequence: 16 });
    expect((await verify([], EMPTY, anchors)).firstBreak).toMatchObject({ kind: 'truncation', sequence: 1 });
  });

  it('that was sealed anew from its middle on, head and all, is found by its anchor', async () => {
    const { events } = chainOf(20);
    const anchors = [{ sequence: 20, hash: events[19]?.hash as string }];
    const anew = seal(
      headAt(events, 9),
      Array.from({ length: 11 }, (_, i) => content(i + 50)),
      AT,
    );
    const verdict = await verify([...events.slice(0, 9), ...anew.events], anew.head, anchors);
    expect(verdict.firstBreak).toMatchObject({ kind: 'forged', sequence: 20 });
  });

  it('10,000 random tamperings: none is missed', async () => {
    const { events, head } = chainOf(12);
    const anchors = [4, 8, 12].map((sequence) => ({ sequence, hash: events[sequence - 1]?.hash as string }));
    const missed: string[] = [];
    const kinds = new Map<string, number>();
    for (const { name, rows, head: left } of tamperings({ events, head, count: 10_000, seed: 7 })) {
      const { isValid, firstBreak } = await verify(rows, left, anchors);
      if (isValid) missed.push(name);
      else kinds.set(String(firstBreak?.kind), (kinds.get(String(firstBreak?.kind)) ?? 0) + 1);
    }
    expect(missed).toEqual([]);
    expect([...kinds.keys()].sort()).toEqual(['content', 'forged', 'gap', 'order', 'truncation']);
  });
});

function headAt(rows: readonly SealedEvent[], sequence: number): Head {
  return { chainId: 'audit:trading', sequence, hash: rows[sequence - 1]?.hash as string };
}
