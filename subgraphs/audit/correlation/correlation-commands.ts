/** What people and services say of correlations and rules. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type {
  CorrelateEventsInput,
  CorrelationInput,
  PurgeCorrelationsInput,
  SetCorrelationRuleInput,
} from '../generated/resolvers.ts';
import { LEAST_CONFIDENCE } from '../rules/correlation.ts';
import { record } from '../trail/own.ts';
import { type NewCorrelation, storeCorrelations } from './engine.ts';

export type CorrelatedPayload = CommandPayload<{ correlationIds: string[] }>;
export type PurgedPayload = CommandPayload<{ purgedCount: number }>;
export type RulePayload = CommandPayload<{ ruleName: string }>;

const NAME_LENGTH = 255;
const RULE_NAME_LENGTH = 100;
const DESCRIPTION_LENGTH = 2_000;
const AT_ONCE = 1_000;
const RETENTION_MS = 365 * 86_400_000; // domain.md §1.13
const LONGEST_DELAY_MS = 86_400_000; // a day

/** Says that events belong together. */
export function correlateEvents(context: Context, input: CorrelateEventsInput): Promise<CorrelatedPayload> {
  return command(context, 'correlateEvents', input, async (tx) => {
    const by = boundedText(input.by, NAME_LENGTH, ['input', 'by']);
    const { length } = input.correlations;
    if (length < 1 || length > AT_ONCE) {
      throw refuse.validation(`correlations takes 1 to ${AT_ONCE}, but got ${length}.`, ['input', 'correlations']);
    }
    const found = await checked(tx, input.correlations, by);
    const correlationIds = await storeCorrelations(statementsOf(tx), found);
    await record(context, tx, {
      eventType: 'events_correlated',
      entityType: 'AuditCorrelation',
      entityId: correlationIds[0] ?? 'known',
      by,
      payload: { count: found.length, storedCount: correlationIds.length },
    });
    return { correlationIds };
  });
}

async function checked(tx: Tx, given: readonly CorrelationInput[], by: string): Promise<NewCorrelation[]> {
  const ids = [...new Set(given.flatMap(({ sourceEventId, targetEventId }) => [sourceEventId, targetEventId]))];
  const rows = await tx.$queryRaw<{ eventId: string; micros: string }[]>(sql`
    select event_id as "eventId", (extract(epoch from timestamp) * 1000000)::bigint::text as micros
      from sealed_events where event_id = any(${ids}::text[])`);
  const at = new Map(rows.map(({ eventId, micros }) => [eventId, BigInt(micros)]));
  const found: NewCorrelation[] = [];
  for (const [i, one] of given.entries()) {
    const path = ['input', 'correlations', String(i)];
    for (const name of ['sourceEventId', 'targetEventId'] as const) {
      if (!at.has(one[name])) throw refuse.notFound('AuditEvent', one[name], [...path, name]);
    }
    if (one.sourceEventId === one.targetEventId) {
      throw refuse.validation('An event does not belong together with itself.', [...path, 'targetEventId']);
    }
    const confidence = Number(one.confidence ?? 1);
    if (!(confidence >= 0 && confidence <= 1)) {
      throw refuse.validation(`confidence must be from 0 to 1, but got ${one.confidence}.`, [...path, 'confidence']);
    }
    const type = stored(one.type ?? 'MANUAL');
    if (type === 'causal') await checkNoCircle(tx, one, [...path, 'targetEventId']);
    const delay = ((at.get(one.targetEventId) ?? 0n) - (at.get(one.sourceEventId) ?? 0n)) * 1_000n;
    const scenarioId = one.scenarioId ? boundedText(one.scenarioId, NAME_LENGTH, [...path, 'scenarioId']) : null;
    found.push({
      source: one.sourceEventId,
      target: one.targetEventId,
      type,
      confidence,
      ruleName: null,
      delayNs: String(delay),
      scenarioId,
      by,
    });
  }
  return found;
}

/** Nothing is its own cause. Beyond this depth nobody follows a chain. */
const CIRCLE_DEPTH = 100;

async function checkNoCircle(tx: Tx, { sourceEventId, targetEventId }: CorrelationInput, path: readonly string[]) {
  const [row] = await tx.$queryRaw<{ closes: boolean }[]>(sql`
    with recursive led as (
      select ${targetEventId}::text as event_id, 0 as depth
      union
      select target_event_id, depth + 1 from audit_correlations join led on source_event_id = led.event_id
       where correlation_type = 'causal' and depth < ${CIRCLE_DEPTH})
    select exists (select from led where event_id = ${sourceEventId}) as closes`);
  if (row?.closes) throw refuse.validation('The one would be the cause of the other, and the other of the one.', path);
}

/** Forgets old correlations. */
export function purgeCorrelations(context: Context, input: PurgeCorrelationsInput): Promise<PurgedPayload> {
  return command(context, 'purgeCorrelations', input, async (tx) => {
    const latest = context.now().getTime() - RETENTION_MS;
    const before = input.before ?? new Date(latest).toISOString();
    if (Date.parse(before) > latest) {
      throw refuse.validation('before must lie at least 365 days ago.', ['input', 'before']);
    }
    const purgedCount = await tx.$executeRaw(
      sql`delete from audit_correlations where created_at < ${before}::timestamptz`,
    );
    await record(context, tx, {
      eventType: 'correlations_purged',
      entityType: 'AuditCorrelation',
      entityId: before,
      payload: { purgedCount },
    });
    return { purgedCount };
  });
}

/** Makes a rule, or changes it. */
export function setCorrelationRule(context: Context, input: SetCorrelationRuleInput): Promise<RulePayload> {
  return command(context, 'setCorrelationRule', input, async (tx) => {
    const path = (name: string) => ['input', name];
    const ruleName = boundedText(input.ruleName, RULE_NAME_LENGTH, path('ruleName'));
    const name = (field: 'triggerType' | 'effectType' | 'triggerService' | 'effectService') =>
      input[field] ? boundedText(String(input[field]), NAME_LENGTH, path(field)) : null;
    const json = (field: 'triggerMetadata' | 'effectMetadata') =>
      input[field] ? JSON.stringify(storableJson(input[field] as object, path(field))) : null;
    if (input.maxDelayMs < 1 || input.maxDelayMs > LONGEST_DELAY_MS) {
      const message = `maxDelayMs must be from 1 to ${LONGEST_DELAY_MS}, but got ${input.maxDelayMs}.`;
      throw refuse.validation(message, path('maxDelayMs'));
    }
    const least = Number(input.minConfidence);
    if (!(least >= LEAST_CONFIDENCE && least <= 1)) {
      const message = `minConfidence must be from ${LEAST_CONFIDENCE} to 1, but got ${input.minConfidence}.`;
      throw refuse.validation(message, path('minConfidence'));
    }
    const triggerType = boundedText(input.triggerType, NAME_LENGTH, path('triggerType'));
    const effectType = boundedText(input.effectType, NAME_LENGTH, path('effectType'));
    const description = input.description ?? '';
    if (description !== '') boundedText(description, DESCRIPTION_LENGTH, path('description'));
    await tx.$executeRaw(sql`
      insert into correlation_rules (rule_name, description, trigger_type, trigger_service, trigger_metadata, effect_type,
                                     effect_service, effect_metadata, max_delay_ms, min_confidence, enabled)
      values (${ruleName}, ${description}, ${triggerType}, ${name('triggerService')}, ${json('triggerMetadata')}::jsonb,
              ${effectType}, ${name('effectService')}, ${json('effectMetadata')}::jsonb, ${input.maxDelayMs},
              ${input.minConfidence}::numeric, ${input.isEnabled ?? true})
      on conflict (rule_name) do update
        set description = excluded.description, trigger_type = excluded.trigger_type,
            trigger_service = excluded.trigger_service, trigger_metadata = excluded.trigger_metadata,
            effect_type = excluded.effect_type, effect_service = excluded.effect_service,
            effect_metadata = excluded.effect_metadata, max_delay_ms = excluded.max_delay_ms,
            min_confidence = excluded.min_confidence, enabled = excluded.enabled`);
    await record(context, tx, {
      eventType: 'correlation_rule_set',
      entityType: 'CorrelationRule',
      entityId: ruleName,
      payload: { triggerType, effectType, maxDelayMs: input.maxDelayMs, minConfidence: input.minConfidence },
    });
    return { ruleName };
  });
}
