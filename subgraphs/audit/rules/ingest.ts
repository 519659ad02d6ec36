/** What a service may add to the trail. */
import { randomUUID } from 'node:crypto';
import { DOMAINS } from '../../../platform/domains.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import type { EventContent } from './chain.ts';
import { canonicalInstant } from './events.ts';

export interface GivenEvent {
  eventId?: string | null | undefined;
  timestamp?: string | null | undefined;
  traceId?: string | null | undefined;
  spanId?: string | null | undefined;
  parentSpanId?: string | null | undefined;
  correlationId?: string | null | undefined;
  causationId?: string | null | undefined;
  serviceName: string;
  eventType: string;
  domain?: string | null | undefined;
  entityType?: string | null | undefined;
  entityId?: string | null | undefined;
  category?: Uppercase<EventContent['category']> | null | undefined;
  severity?: Uppercase<EventContent['severity']> | null | undefined;
  actorType?: string | null | undefined;
  actorId?: string | null | undefined;
  scenarioId?: string | null | undefined;
  chaosType?: string | null | undefined;
  validationTag?: string | null | undefined;
  tags?: readonly string[] | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  payload?: Record<string, unknown> | null | undefined;
  durationNs?: string | null | undefined;
}

const NAME_LENGTH = 255;
const TAGS_LIMIT = 50;

/** Clocks of services differ. */
const AHEAD_MS = 300_000; // 5 minutes

const TYPE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/**
 * The event that a service tells, checked.
 * @throws Refusal (validation) on the first thing that is wrong with it
 */
export function toldEvent(given: GivenEvent, traceId: string, now: Date, path: readonly string[]): EventContent {
  const text = (name: keyof GivenEvent & string, value: string | null | undefined) =>
    value === null || value === undefined ? null : boundedText(value, NAME_LENGTH, [...path, name]);
  const timestamp = given.timestamp ?? canonicalInstant(now.toISOString());
  if (Date.parse(timestamp) > now.getTime() + AHEAD_MS) {
    throw refuse.validation('timestamp must not lie more than 5 minutes ahead.', [...path, 'timestamp']);
  }
  if (!TYPE.test(given.eventType) || given.eventType.length > NAME_LENGTH) {
    const message = `eventType must be lower-case words joined by _, but got "${given.eventType}".`;
    throw refuse.validation(message, [...path, 'eventType']);
  }
  const domain = given.domain ?? null;
  if (domain !== null && !DOMAINS.some((one) => one === domain)) {
    throw refuse.validation(`domain must be one of ${DOMAINS.join(', ')}, but got "${domain}".`, [...path, 'domain']);
  }
  if (((given.entityType ?? null) === null) !== ((given.entityId ?? null) === null)) {
    throw refuse.validation('entityType and entityId come together.', [...path, 'entityId']);
  }
  const tags = given.tags ?? [];
  if (tags.length > TAGS_LIMIT) {
    throw refuse.validation(`tags takes at most ${TAGS_LIMIT}, but got ${tags.length}.`, [...path, 'tags']);
  }
  return {
    eventId: text('eventId', given.eventId) ?? `told:${randomUUID()}`,
    timestamp,
    traceId: hex(given.traceId, 32, [...path, 'traceId']) ?? traceId,
    spanId: hex(given.spanId, 16, [...path, 'spanId']),
    parentSpanId: hex(given.parentSpanId, 16, [...path, 'parentSpanId']),
    correlationId: text('correlationId', given.correlationId),
    causationId: text('causationId', given.causationId),
    serviceName: boundedText(given.serviceName, NAME_LENGTH, [...path, 'serviceName']),
    eventType: given.eventType,
    domain,
    entityType: text('entityType', given.entityType),
    entityId: text('entityId', given.entityId),
    category: stored(given.category ?? 'SYSTEM'),
    severity: stored(given.severity ?? 'INFO'),
    actorType: text('actorType', given.actorType),
    actorId: text('actorId', given.actorId),
    scenarioId: text('scenarioId', given.scenarioId),
    chaosType: text('chaosType', given.chaosType),
    validationTag: text('validationTag', given.validationTag),
    tags: tags.map((tag) => boundedText(tag, NAME_LENGTH, [...path, 'tags'])),
    metadata: storableJson(given.metadata ?? {}, [...path, 'metadata']),
    payload: storableJson(given.payload ?? {}, [...path, 'payload']),
    durationNs: duration(given.durationNs, [...path, 'durationNs']),
    schemaVersion: 1,
    origin: 'told',
  };
}

function hex(value: string | null | undefined, length: number, path: readonly string[]): string | null {
  if (value === null || value === undefined) return null;
  const text = value.toLowerCase();
  if (new RegExp(`^[0-9a-f]{${length}}$`).test(text) && !/^0+$/.test(text)) return text;
  throw refuse.validation(`${path.at(-1)} must be ${length} hex digits, not all zero, but got "${value}".`, path);
}

const LONGEST_DURATION = 9_223_372_036_854_775_807n;

function duration(value: string | null | undefined, path: readonly string[]): string {
  if (value === null || value === undefined) return '0';
  if (/^\d{1,19}$/.test(value) && BigInt(value) <= LONGEST_DURATION) return String(BigInt(value));
  throw refuse.validation(`durationNs must be a whole number of nanoseconds, but got "${value}".`, path);
}
