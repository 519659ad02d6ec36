/** Finds what belongs together, behind the sealing: the leader takes the events that nobody has looked at yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join, sql } from '../../../platform/database/sql.ts';
import { inTransaction, type Statements } from '../../../platform/database/transaction.ts';
import { Doorbell } from '../../../platform/doorbell.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import {
  type Correlatable,
  type CorrelationRule,
  confidenceOf,
  delayNs,
  isEffect,
  isTrigger,
  likeliestTrigger,
  matchesType,
} from '../rules/correlation.ts';

/** Events looked at together. */
const PART = 500;

/** Triggers, and effects, that one event is compared with by one rule. */
const COMPARED = 50;

/** A trace is followed back so far. */
const TRACE_DAYS = 2;

/** What nobody has told of is looked for so often: this process may have taken the lead meanwhile. */
const LOOK_MS = 5_000; // 5 seconds

/** What has failed is tried again after this. */
const RETRY_MS = 1_000; // 1 second

/** Rules are read again after this. */
const RULES_MS = 2_000; // 2 seconds

export interface NewCorrelation {
  source: string;
  target: string;
  type: 'causal' | 'trace' | 'temporal' | 'service' | 'manual';
  confidence: number;
  ruleName: string | null;
  /** Nanoseconds, a whole number as text. */
  delayNs: string;
  scenarioId: string | null;
  by: string;
}

const COLUMNS = sql`event_id as "eventId", timestamp, trace_id as "traceId", correlation_id as "correlationId",
  causation_id as "causationId", service_name as "serviceName", event_type as "eventType", entity_key as "entityKey", tags,
  metadata, scenario_id as "scenarioId"`;

export class Engine {
  private readonly parts: ServiceParts;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private readonly doorbell = new Doorbell();
  private readonly listener: Listener;
  private rules: CorrelationRule[] = [];
  private types = new Set<string>();
  private rulesReadAt = 0;
  private isIdle = false;

  constructor(parts: ServiceParts) {
    this.parts = parts;
    const touch = () => this.touch(); // whichever process has sealed it
    const rest = { settle: () => undefined, beat: () => undefined };
    this.listener = { ...rest, relation: 'audit_events', offer: touch, reset: touch };
    parts.feed.hub.attach(this.listener);
    this.running = this.run();
  }

  /** There is something to look at. */
  touch(): void {
    this.doorbell.ring();
  }

  /** Resolves once everything that is sealed has been looked at. */
  async settled(): Promise<void> {
    const waits = sql`select 1 as waits from sealed_events where status = 'pending' limit 1`;
    while (!this.stopping.signal.aborted && (!this.isIdle || (await this.parts.db.one(waits)) !== null)) {
      this.touch();
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    this.parts.feed.hub.detach(this.listener);
    this.stopping.abort();
    this.touch();
    await this.running;
  }

  private async run(): Promise<void> {
    const { feed, log } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const count = feed.isLeader() ? await this.part() : 0;
        if (count === PART) continue;
        this.isIdle = true;
      } catch (error) {
        log.warn({ err: error }, 'events could not be correlated; they will be');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
      await this.doorbell.wait(LOOK_MS);
      this.isIdle = false;
    }
  }

  private async part(): Promise<number> {
    const count = await inTransaction(this.parts.db, async (tx) => {
      const events = await tx.query<Correlatable>(sql`
        select ${COLUMNS} from audit_events
          join (select event_id as waiting_id, timestamp as waiting_at from sealed_events
                 where status = 'pending' order by timestamp, event_id limit ${PART} for update skip locked) as waiting
            on event_id = waiting_id and timestamp = waiting_at
         order by timestamp, event_id`);
      if (events.length === 0) return 0;
      await this.readRules(tx);
      for (const { eventType } of events) this.types.add(eventType);
      const found = [...(await causes(tx, events)), ...(await traces(tx, events)), ...(await this.byRules(tx, events))];
      await storeCorrelations(tx, found);
      await tx.query(sql`
        update sealed_events set status = 'processed', processed_at = clock_timestamp()
         where event_id = any(${events.map(({ eventId }) => eventId)}::text[]) returning event_id as "eventId"`);
      return events.length;
    });
    if (count > 0) this.parts.feed.ring();
    return count;
  }

  private async readRules(tx: Statements): Promise<void> {
    if (Date.now() - this.rulesReadAt < RULES_MS) return;
    this.rules = await tx.query<CorrelationRule>(sql`select * from correlation_rules where enabled`);
    const types = await tx.query<{ type: string }>(sql`
      with recursive known as (
        select min(event_type) as type from audit_events
        union all
        select (select min(event_type) from audit_events where event_type > known.type) from known where type is not null)
      select type from known where type is not null`);
    this.types = new Set(types.map(({ type }) => type));
    this.rulesReadAt = Date.now();
  }

  /** The types of events that there are, of those that a rule means. */
  private typesOf(pattern: string): string[] {
    return [...this.types].filter((type) => matchesType(pattern, type));
  }

  /** Each event as the effect of what came before it, and as the trigger of what came after and was sealed before. */
  private async byRules(tx: Statements, events: readonly Correlatable[]): Promise<NewCorrelation[]> {
    const found: NewCorrelation[] = [];
    for (const rule of this.rules) {
      const effects = events.filter((event) => isEffect(rule, event));
      const triggersOf = await around(tx, rule, effects, 'before', this.typesOf(rule.triggerType));
      for (const effect of effects) {
        const best = likeliestTrigger(rule, triggersOf.get(effect.eventId) ?? [], effect);
        if (best) found.push(byRule(rule, best.trigger, effect, best.confidence));
      }
      const triggers = events.filter((event) => isTrigger(rule, event));
      const effectsOf = await around(tx, rule, triggers, 'after', this.typesOf(rule.effectType));
      for (const trigger of triggers) {
        for (const effect of effectsOf.get(trigger.eventId) ?? []) {
          const confidence = confidenceOf(rule, trigger, effect);
          if (confidence !== null && isNewer(events, effect)) found.push(byRule(rule, trigger, effect, confidence));
        }
      }
    }
    return found;
  }
}

/** An effect of the same part has had its turn as an effect. */
function isNewer(events: readonly Correlatable[], effect: Correlatable): boolean {
  return !events.some(({ eventId }) => eventId === effect.eventId);
}

function byRule(
  rule: CorrelationRule,
  trigger: Correlatable,
  effect: Correlatable,
  confidence: number,
): NewCorrelation {
  return edge('causal', trigger, effect, confidence, rule.ruleName);
}

function edge(
  type: NewCorrelation['type'],
  source: Pick<Correlatable, 'eventId' | 'timestamp' | 'scenarioId'>,
  target: Pick<Correlatable, 'eventId' | 'timestamp' | 'scenarioId'>,
  confidence: number,
  ruleName: string | null,
): NewCorrelation {
  return {
    source: source.eventId,
    target: target.eventId,
    type,
    confidence,
    ruleName,
    delayNs: String(delayNs(source.timestamp, target.timestamp)),
    scenarioId: target.scenarioId ?? source.scenarioId,
    by: 'system',
  };
}

/** The events of the rule's other side, of these types, that lie in its time before, or after, each of these. */
async function around(
  tx: Statements,
  rule: CorrelationRule,
  events: readonly Correlatable[],
  side: 'before' | 'after',
  types: readonly string[],
): Promise<Map<string, Correlatable[]>> {
  if (events.length === 0 || types.length === 0) return new Map();
  const window = sql`make_interval(secs => ${rule.maxDelayMs / 1_000}::float8)`;
  const [from, to, order] =
    side === 'before'
      ? [sql`given.at - ${window}`, sql`given.at`, sql`desc`]
      : [sql`given.at`, sql`given.at + ${window}`, sql`asc`];
  // Each look goes by one index: of a trace, of a correlation id, or of a type.
  const looks =
    Number(rule.minConfidence) >= SAME_TRACE_ONLY
      ? [sql`trace_id = given.trace_id`, sql`correlation_id = given.correlation_id`]
      : [sql`true`];
  const found = looks.map(
    (look) => sql`
      (select ${COLUMNS} from audit_events
        where ${look} and event_type = any(${types}::text[]) and timestamp between ${from} and ${to}
          and event_id <> given.id
        order by timestamp ${order} limit ${COMPARED})`,
  );
  const given = JSON.stringify(
    events.map(({ eventId, timestamp, traceId, correlationId }) => ({
      id: eventId,
      at: timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
    })),
  );
  const rows = await tx.query<Correlatable & { ofId: string }>(sql`
    select given.id as "ofId", other.*
      from jsonb_to_recordset(${given}::jsonb) as given(id text, at timestamptz, trace_id text, correlation_id text)
     cross join lateral (${join(found, ' union all ')}) as other`);
  return Map.groupBy(rows, ({ ofId }) => ofId);
}

/** Rules that need so much find only what is of one trace or has one correlation id. */
const SAME_TRACE_ONLY = 0.9;

/** What an event says itself that has caused it. */
async function causes(tx: Statements, events: readonly Correlatable[]): Promise<NewCorrelation[]> {
  const given = events.filter(({ causationId }) => causationId !== null);
  if (given.length === 0) return [];
  const rows = await tx.query<Pick<Correlatable, 'eventId' | 'timestamp' | 'scenarioId'>>(sql`
    select event_id as "eventId", timestamp, scenario_id as "scenarioId" from all_events
     where event_id = any(${given.map(({ causationId }) => causationId)}::text[])`);
  const byId = new Map(rows.map((row) => [row.eventId, row]));
  return given.flatMap((event) => {
    const cause = byId.get(event.causationId ?? '');
    return cause && cause.eventId !== event.eventId ? [edge('causal', cause, event, 1, 'causation')] : [];
  });
}

/** Each event of a trace with the one before it in the trace. */
async function traces(tx: Statements, events: readonly Correlatable[]): Promise<NewCorrelation[]> {
  const rows = await tx.query<{ eventId: string; timestamp: string; scenarioId: string | null; ofId: string }>(sql`
    select before.*, given.event_id as "ofId"
      from audit_events as given
     cross join lateral (
       select event_id as "eventId", timestamp, scenario_id as "scenarioId" from audit_events
        where trace_id = given.trace_id and (timestamp, event_id) < (given.timestamp, given.event_id)
          and timestamp >= given.timestamp - make_interval(days => ${TRACE_DAYS})
        order by timestamp desc, event_id desc limit 1) as before
     where given.event_id = any(${events.map(({ eventId }) => eventId)}::text[])
       and given.timestamp between ${events[0]?.timestamp ?? ''}::timestamptz
                               and ${events.at(-1)?.timestamp ?? ''}::timestamptz`);
  const byId = new Map(events.map((event) => [event.eventId, event]));
  return rows.map(({ ofId, ...before }) => edge('trace', before, byId.get(ofId) as Correlatable, 1, null));
}

/** Stores what was found; of what is known already the surer one stays. Gives the ids of those stored. */
export async function storeCorrelations(tx: Statements, found: readonly NewCorrelation[]): Promise<string[]> {
  if (found.length === 0) return [];
  const best = new Map<string, NewCorrelation>();
  for (const one of found) {
    const key = `${one.source} ${one.target} ${one.type}`;
    if ((best.get(key)?.confidence ?? -1) < one.confidence) best.set(key, one);
  }
  const rows = await tx.query<{ correlationId: string }>(sql`
    insert into audit_correlations
      (source_event_id, target_event_id, correlation_type, confidence, rule_name, delay_ns, scenario_id, created_by)
    select source, target, type, confidence, "ruleName", "delayNs", "scenarioId", by
      from jsonb_to_recordset(${JSON.stringify([...best.values()])}::jsonb)
        as one(source text, target text, type text, confidence numeric, "ruleName" text, "delayNs" bigint,
               "scenarioId" text, by text)
    on conflict (source_event_id, target_event_id, correlation_type) do update
      set confidence = greatest(audit_correlations.confidence, excluded.confidence),
          rule_name = case when excluded.confidence > audit_correlations.confidence then excluded.rule_name
                           else audit_correlations.rule_name end
      where excluded.confidence >= audit_correlations.confidence
    returning correlation_id as "correlationId"`);
  return rows.map(({ correlationId }) => correlationId);
}
