/** Adds events to their chains, inside the transaction of whoever adds them. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import { type EventContent, type Head, type SealedEvent, seal } from '../rules/chain.ts';
import { canonicalInstant } from '../rules/events.ts';

/** What an id that is taken stands for. */
export interface Existing {
  eventId: string;
  chainId: string;
  sequence: string;
}

/** Chain of the events of services that belong to no domain. */
const ELSEWHERE = 'external';

/** Days for which a partition has been seen: asking costs a statement. */
const knownDays = new WeakMap<object, Set<string>>();

/** Events in one statement. */
const AT_ONCE = 1_000;

/**
 * Adds the events to the chain of their domain, in their order; those whose ids are taken are left out.
 * @param pool whose days are remembered
 */
export async function append(
  tx: Statements,
  pool: object,
  events: readonly EventContent[],
  now: Date,
): Promise<{ sealed: SealedEvent[]; existing: Existing[] }> {
  if (events.length === 0) return { sealed: [], existing: [] };
  await ensureDays(tx, pool, events);
  const receivedAt = canonicalInstant(now.toISOString());
  const byDomain = Map.groupBy(events, ({ domain }) => domain ?? ELSEWHERE);
  const sealed: SealedEvent[] = [];
  const existing: Existing[] = [];
  // In one order, whoever comes: two that need two chains never wait for one another.
  for (const domain of [...byDomain.keys()].sort()) {
    let head = await lockHead(tx, domain);
    const given = byDomain.get(domain) ?? [];
    const taken = await alreadySealed(tx, given);
    existing.push(...taken.values());
    const fresh = distinct(given).filter(({ eventId }) => !taken.has(eventId));
    for (let from = 0; from < fresh.length; from += AT_ONCE) {
      const part = seal(head, fresh.slice(from, from + AT_ONCE), receivedAt);
      head = part.head;
      await insert(tx, part.events, head);
      sealed.push(...part.events);
    }
  }
  return { sealed, existing };
}

function distinct(events: readonly EventContent[]): EventContent[] {
  return [...new Map(events.map((event) => [event.eventId, event])).values()];
}

async function ensureDays(tx: Statements, pool: object, events: readonly EventContent[]): Promise<void> {
  const known = knownDays.get(pool) ?? new Set();
  knownDays.set(pool, known);
  const days = [...new Set(events.map(({ timestamp }) => timestamp.slice(0, 10)))].filter((day) => !known.has(day));
  if (days.length === 0) return;
  const moments = days.map((day) => `${day}T00:00:00Z`);
  const [row] = await tx.query<{ made: number }>(
    sql`select ensure_event_partitions(${moments}::timestamptz[]) as made`,
  );
  if (row?.made === 0) for (const day of days) known.add(day); // what this transaction has made may be undone with it
}

/** Days have been put aside: what was known of partitions does not hold any more. */
export function forgetDays(pool: object): void {
  knownDays.delete(pool);
}

/** The head of the domain's chain, which nobody else moves until the transaction ends. */
export async function lockHead(tx: Statements, domain: string): Promise<Head> {
  const read = () =>
    tx.query<{ chainId: string; sequence: string; hash: string }>(sql`
      select chain_id as "chainId", sequence::text as sequence, hash from chain_heads
       where domain = ${domain} and is_current for update`);
  let [row] = await read();
  if (!row) {
    await tx.query(sql`insert into chain_heads (chain_id, domain) values (${`audit:${domain}`}, ${domain})
                       on conflict do nothing returning chain_id as "chainId"`);
    [row] = await read();
  }
  if (!row) throw new Error(`The chain of ${domain} has no head`);
  return { ...row, sequence: Number(row.sequence) };
}

async function alreadySealed(tx: Statements, events: readonly EventContent[]): Promise<Map<string, Existing>> {
  const rows = await tx.query<Existing>(sql`
    select event_id as "eventId", chain_id as "chainId", sequence::text as sequence from sealed_events
     where event_id = any(${events.map(({ eventId }) => eventId)}::text[])`);
  return new Map(rows.map((row) => [row.eventId, row]));
}

const COLUMNS: Sql = sql`event_id, chain_id, sequence, timestamp, received_at, trace_id, span_id, parent_span_id, correlation_id,
  causation_id, service_name, event_type, domain, entity_type, entity_id, category, severity, actor_type, actor_id,
  scenario_id, chaos_type, validation_tag, tags, metadata, payload, duration_ns, schema_version, origin, prev_hash, hash`;

async function insert(tx: Statements, events: readonly SealedEvent[], head: Head): Promise<void> {
  const given = JSON.stringify(events);
  await tx.query(sql`
    with given as (
      select "eventId" as event_id, "chainId" as chain_id, sequence, timestamp, "receivedAt" as received_at,
             "traceId" as trace_id, "spanId" as span_id, "parentSpanId" as parent_span_id,
             "correlationId" as correlation_id, "causationId" as causation_id, "serviceName" as service_name,
             "eventType" as event_type, domain, "entityType" as entity_type, "entityId" as entity_id, category, severity,
             "actorType" as actor_type, "actorId" as actor_id, "scenarioId" as scenario_id, "chaosType" as chaos_type,
             "validationTag" as validation_tag, tags, metadata, payload, "durationNs" as duration_ns,
             "schemaVersion" as schema_version, origin, "prevHash" as prev_hash, hash
        from jsonb_to_recordset(${given}::jsonb) as one(
          "eventId" text, "chainId" text, sequence bigint, timestamp timestamptz, "receivedAt" timestamptz, "traceId" text,
          "spanId" text, "parentSpanId" text, "correlationId" text, "causationId" text, "serviceName" text,
          "eventType" text, domain text, "entityType" text, "entityId" text, category text, severity text,
          "actorType" text, "actorId" text, "scenarioId" text, "chaosType" text, "validationTag" text, tags text[],
          metadata jsonb, payload jsonb, "durationNs" bigint, "schemaVersion" integer, origin text, "prevHash" text,
          hash text)),
    stored as (insert into audit_events (${COLUMNS}) select ${COLUMNS} from given),
    numbered as (
      insert into sealed_events (event_id, chain_id, sequence, timestamp)
      select event_id, chain_id, sequence, timestamp from given)
    update chain_heads set sequence = ${head.sequence}::bigint, hash = ${head.hash}, updated_at = clock_timestamp()
     where chain_id = ${head.chainId} returning chain_id as "chainId"`);
}
