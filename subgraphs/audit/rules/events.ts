/** Makes an event of a change that a domain has told (platform/feed/domain-events.ts). */
import { createHash } from 'node:crypto';
import type { Domain } from '../../../platform/domains.ts';
import { parseInstant } from '../../../platform/instant.ts';
import { parseTraceparent } from '../../../platform/trace.ts';
import type { EventContent } from './chain.ts';
import { singular, typeOf } from './entities.ts';
import { categoryOf, isQuiet, type Operation, severityOf, typeOfChange } from './event-types.ts';

/** A change as the subscription tells it. */
export interface ToldChange {
  eventId: string;
  relation: string;
  operation: Operation;
  key: string;
  transaction: string;
  trace: string | null;
  at: string;
  row: Record<string, unknown>;
}

/** Bytes of a row that an event holds; of a larger one it holds the hash. */
const PAYLOAD_BYTES = 65_536; // 64 KiB, as of every JSON of the graph

/** Where a row says when what it tells of happened, since it is written a while later. */
const HAPPENED: Record<string, string> = { pre_trade_checks: 'checkedAt' };

/** The event of a change, or null where it is none. */
export function eventOf(domain: Domain, told: ToldChange): EventContent | null {
  const { relation, operation, row } = told;
  const change = { domain, relation, operation, row };
  const trace = traceOf(domain, told);
  if (isQuiet(change) && !trace.isSampled) return null;
  const eventType = typeOfChange(change);
  return {
    eventId: told.eventId,
    timestamp: canonicalInstant(text(row[HAPPENED[relation] ?? '']) ?? told.at),
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: null,
    correlationId: text(row.runId) ?? text(row.correlationId),
    causationId: null,
    serviceName: domain,
    eventType,
    domain,
    entityType: typeOf(domain, relation),
    entityId: told.key,
    category: categoryOf(change, eventType),
    severity: severityOf(change, eventType),
    ...actorOf(row),
    scenarioId: text(row.scenarioId),
    chaosType: relation === 'injected_faults' ? text(row.kind) : null,
    validationTag: null,
    tags: tagsOf(domain, relation, row),
    metadata: { relation, operation, key: told.key, transaction: told.transaction, isTraced: trace.isGiven },
    payload: payloadOf(row),
    durationNs: '0',
    schemaVersion: 1,
    origin: 'feed',
  };
}

/** The event of a gap: what a domain changed in between is not kept any more, and so is in no trail. */
export function gapOf(domain: Domain, from: string, cursor: string, at: string): EventContent {
  const digest = sha256(`${domain}:gap:${from}:${cursor}`);
  return {
    eventId: `${domain}:gap:${digest.slice(0, 32)}`,
    timestamp: canonicalInstant(at),
    traceId: digest.slice(0, 32),
    spanId: null,
    parentSpanId: null,
    correlationId: null,
    causationId: null,
    serviceName: 'audit',
    eventType: 'trail_gap',
    domain,
    entityType: null,
    entityId: null,
    category: 'system',
    severity: 'critical',
    actorType: 'system',
    actorId: 'audit',
    scenarioId: null,
    chaosType: null,
    validationTag: null,
    tags: [],
    metadata: { from, to: cursor },
    payload: {},
    durationNs: '0',
    schemaVersion: 1,
    origin: 'feed',
  };
}

/** A change whose writer named no trace has that of its transaction: the same, however often it is told. */
function traceOf(domain: Domain, { trace, transaction }: ToldChange) {
  const parsed = parseTraceparent(trace ?? undefined);
  if (parsed) return { ...parsed, isGiven: true };
  const alone = trace?.trim().toLowerCase() ?? '';
  if (/^[0-9a-f]{32}$/.test(alone) && !/^0+$/.test(alone)) {
    return { traceId: alone, spanId: null, isSampled: false, isGiven: true };
  }
  const traceId = sha256(`${domain}:${transaction}`).slice(0, 32);
  return { traceId, spanId: null, isSampled: false, isGiven: false };
}

function sha256(input: string): string {
  return createHash('sha256').update(input).digest('hex');
}

/** The instant without trailing zeros, as the database gives it back. */
export function canonicalInstant(at: string): string {
  const parsed = parseInstant(at);
  if ('problem' in parsed) throw new Error(`An instant of the feed ${parsed.problem}: ${at}`);
  return parsed.instant;
}

const ACTORS = [
  'actor',
  'requestedBy',
  'changedBy',
  'resolvedBy',
  'acknowledgedBy',
  'injectedBy',
  'author',
  'createdBy',
];

function actorOf(row: ToldChange['row']): { actorType: string | null; actorId: string | null } {
  for (const name of ACTORS) {
    const value = text(row[name]);
    if (value !== null) return { actorType: value === 'system' ? 'system' : 'user', actorId: value };
  }
  return { actorType: null, actorId: null };
}

const SYMBOL = /^[A-Z0-9]{2,12}-[A-Z0-9]{2,12}(-PERP)?$/;

/** What tags name the things of other tables that a row is about by; the row's own key comes after. */
const REFERENCES: Record<string, string> = {
  accountId: 'account',
  symbol: 'symbol',
  instrumentId: 'symbol',
  target: 'symbol',
  strategyId: 'strategy',
  orderId: 'order',
  exchangeOrderId: 'order',
  settlementId: 'settlement',
  exchangeTradeId: 'trade',
  venueId: 'venue',
  executionVenue: 'venue',
  limitId: 'limit',
  runId: 'run',
  scenarioId: 'scenario',
};

function tagsOf(domain: Domain, relation: string, row: ToldChange['row']): string[] {
  const tags = new Set([`domain:${domain}`, `entity:${singular(relation)}`]);
  for (const [field, kind] of Object.entries(REFERENCES)) {
    const value = text(row[field]);
    if (value === null || (kind === 'symbol' && !SYMBOL.test(value))) continue;
    tags.add(`${kind}:${kind === 'account' ? value.replace(/^(exchange|custody):/, '') : value}`);
  }
  for (const symbol of Array.isArray(row.symbols) ? row.symbols.slice(0, 20) : []) tags.add(`symbol:${symbol}`);
  return [...tags];
}

function payloadOf(row: ToldChange['row']): Record<string, unknown> {
  const written = JSON.stringify(row);
  const bytes = Buffer.byteLength(written);
  return bytes <= PAYLOAD_BYTES ? row : { omittedBytes: bytes, sha256: sha256(written) };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
