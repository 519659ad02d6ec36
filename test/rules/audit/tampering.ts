/** Ways in which somebody who may do everything in the database would tamper with a chain. */
import { type EventContent, type Head, type SealedEvent, seal } from '../../../subgraphs/audit/rules/chain.ts';

/** An event to seal, one like another but for its number. */
export function content(i: number): EventContent {
  return {
    eventId: `trading:e:${i}`,
    timestamp: `2026-01-01T00:00:${String(i % 60).padStart(2, '0')}.5Z`,
    traceId: (i + 1).toString(16).padStart(32, 'a'),
    spanId: null,
    parentSpanId: null,
    correlationId: i % 3 === 0 ? 'run-1' : null,
    causationId: null,
    serviceName: 'trading',
    eventType: i % 2 === 0 ? 'order_created' : 'trade_recorded',
    domain: 'trading',
    entityType: 'TradingOrder',
    entityId: `o${i}`,
    category: 'trade',
    severity: 'info',
    actorType: null,
    actorId: null,
    scenarioId: null,
    chaosType: null,
    validationTag: null,
    tags: ['symbol:BTC-USD'],
    metadata: { operation: 'INSERT', key: `o${i}`, nested: { count: i } },
    payload: { quantity: '1.5', price: '100', note: `order ${i}` },
    durationNs: '0',
    schemaVersion: 1,
    origin: 'feed',
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Chain {
  events: readonly SealedEvent[];
  head: Head;
}

interface Tampered {
  name: string;
  rows: SealedEvent[];
  head: Head;
}

type Tamper = (chain: Chain, pick: (below: number) => number) => { rows: SealedEvent[]; head: Head };

const CHANGES: ((row: SealedEvent, pick: (below: number) => number) => SealedEvent)[] = [
  (row) => ({ ...row, eventType: `${row.eventType}d` }),
  (row) => ({ ...row, severity: row.severity === 'info' ? 'error' : 'info' }),
  (row) => ({ ...row, timestamp: row.timestamp.replace('.5Z', '.500001Z') }),
  (row) => ({ ...row, receivedAt: '2026-01-01T00:00:00.000001Z' }),
  (row) => ({ ...row, traceId: row.traceId.replace(/^./, 'b') }),
  (row) => ({ ...row, entityId: `${row.entityId}x` }),
  (row) => ({ ...row, payload: { ...row.payload, price: '101' } }),
  (row) => ({ ...row, payload: {} }),
  (row) => ({ ...row, metadata: { ...row.metadata, added: null } }),
  (row) => ({ ...row, tags: [...row.tags, 'more'] }),
  (row) => ({ ...row, durationNs: '1' }),
  (row) => ({ ...row, actorId: 'somebody else' }),
  (row) => ({ ...row, correlationId: row.correlationId === null ? 'run-2' : null }),
  (row) => ({ ...row, causationId: 'trading:e:0' }),
  (row) => ({ ...row, origin: 'told' }),
  (row, pick) => ({ ...row, hash: flip(row.hash, pick(64)) }),
  (row, pick) => ({ ...row, prevHash: flip(row.prevHash, pick(64)) }),
];

function flip(hash: string, at: number): string {
  return `${hash.slice(0, at)}${hash[at] === '0' ? '1' : '0'}${hash.slice(at + 1)}`;
}

const TAMPERS: Record<string, Tamper> = {
  change: ({ events, head }, pick) => {
    const at = pick(events.length);
    const change = CHANGES[pick(CHANGES.length)] as (typeof CHANGES)[number];
    return { rows: events.with(at, change(events[at] as SealedEvent, pick)), head };
  },
  delete: ({ events, head }, pick) => ({ rows: events.toSpliced(pick(events.length), 1 + pick(3)), head }),
  reorder: ({ events, head }, pick) => {
    const at = pick(events.length);
    const other = (at + 1 + pick(events.length - 1)) % events.length;
    const [a, b] = [events[at] as SealedEvent, events[other] as SealedEvent];
    return { rows: events.with(at, { ...b, sequence: a.sequence }).with(other, { ...a, sequence: b.sequence }), head };
  },
  truncate: ({ events, head }, pick) => {
    const length = pick(events.length);
    const last = events[length - 1];
    const rolledBack = last
      ? { ...head, sequence: length, hash: last.hash }
      : { ...head, sequence: 0, hash: '0'.repeat(64) };
    return { rows: events.slice(0, length), head: pick(2) === 0 ? head : rolledBack };
  },
  /** Everything from some event on is sealed anew, as if it had been so, and the head moved. */
  forge: ({ events, head }, pick) => {
    const at = pick(events.length);
    const before = events[at - 1];
    const from = { ...head, sequence: at, hash: before?.hash ?? '0'.repeat(64) };
    const forged = { ...(events[at] as SealedEvent), payload: { price: String(pick(1_000_000)) } };
    const anew = seal(from, [forged, ...events.slice(at + 1)], forged.receivedAt);
    return { rows: [...events.slice(0, at), ...anew.events], head: anew.head };
  },
  /** An event is put among the others, with a hash of its own that is right. */
  insert: ({ events, head }, pick) => {
    const at = pick(events.length);
    const before = events[at - 1];
    const from = { ...head, sequence: at, hash: before?.hash ?? '0'.repeat(64) };
    const made = seal(from, [content(1_000 + pick(1_000))], '2026-01-01T00:00:00Z').events;
    return { rows: events.toSpliced(at, pick(2), ...made), head };
  },
};

/** So many tamperings, every one of them a real change. */
export function* tamperings({
  events,
  head,
  count,
  seed,
}: Chain & { count: number; seed: number }): Generator<Tampered> {
  const random = randomFrom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const names = Object.keys(TAMPERS);
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length] as string;
    yield { name: `${name} ${i}`, ...(TAMPERS[name] as Tamper)({ events, head }, pick) };
  }
}
