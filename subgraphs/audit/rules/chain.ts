/** How events are sealed: each hash covers the one before it and everything that an event says (domain.md §8.4). */
import { hash } from 'node:crypto';
import { canonicalJson } from './canonical.ts';

export const EVENT_CATEGORIES = ['trade', 'risk', 'system', 'compliance', 'chaos'] as const;
export const EVENT_SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type EventCategory = (typeof EVENT_CATEGORIES)[number];
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

/** What an event says, before it has a place in a chain. Instants are RFC 3339 in UTC without trailing zeros. */
export interface EventContent {
  eventId: string;
  timestamp: string;
  traceId: string;
  spanId: string | null;
  parentSpanId: string | null;
  correlationId: string | null;
  causationId: string | null;
  serviceName: string;
  eventType: string;
  domain: string | null;
  entityType: string | null;
  entityId: string | null;
  category: EventCategory;
  severity: EventSeverity;
  actorType: string | null;
  actorId: string | null;
  scenarioId: string | null;
  chaosType: string | null;
  validationTag: string | null;
  tags: string[];
  metadata: Record<string, unknown>;
  payload: Record<string, unknown>;
  /** Nanoseconds, a whole number as text. */
  durationNs: string;
  schemaVersion: number;
  /** feed: read from the change feed of its domain; told: a service said so. */
  origin: 'feed' | 'told';
}

/** An event with its place. */
export interface PlacedEvent extends EventContent {
  chainId: string;
  /** From 1, as text. */
  sequence: string;
  receivedAt: string;
}

export interface SealedEvent extends PlacedEvent {
  prevHash: string;
  hash: string;
}

/** What the first event of a chain follows. */
export const GENESIS_HASH = '0'.repeat(64);

/** In the order of canonical JSON. */
const HASHED = [
  'actorId',
  'actorType',
  'category',
  'causationId',
  'chainId',
  'chaosType',
  'correlationId',
  'domain',
  'durationNs',
  'entityId',
  'entityType',
  'eventId',
  'eventType',
  'metadata',
  'origin',
  'parentSpanId',
  'payload',
  'receivedAt',
  'scenarioId',
  'schemaVersion',
  'sequence',
  'serviceName',
  'severity',
  'spanId',
  'tags',
  'timestamp',
  'traceId',
  'validationTag',
] as const satisfies readonly (keyof PlacedEvent)[];

/** The hash of an event that follows `prevHash`: 64 hex digits. Fields beside those of a placed event do not count. */
export function hashOf(prevHash: string, event: PlacedEvent): string {
  const fields = HASHED.map((name) => `"${name}":${canonicalJson(event[name])}`);
  return hash('sha256', `${prevHash}{${fields.join(',')}}`);
}

/** The last event of a chain: where the next one joins on. */
export interface Head {
  chainId: string;
  sequence: number;
  hash: string;
}

/** The events as the next ones of a chain, in their order, and the head they leave. */
export function seal(
  head: Head,
  events: readonly EventContent[],
  receivedAt: string,
): { events: SealedEvent[]; head: Head } {
  let { sequence, hash: last } = head;
  const sealed = events.map((event) => {
    sequence++;
    const placed = { ...event, chainId: head.chainId, sequence: String(sequence), receivedAt };
    const prevHash = last;
    last = hashOf(prevHash, placed);
    return { ...placed, prevHash, hash: last };
  });
  return { events: sealed, head: { chainId: head.chainId, sequence, hash: last } };
}
