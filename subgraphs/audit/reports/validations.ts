/** Whether runs of scenarios were noticed as they should have been. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { boundedText } from '../../../platform/texts.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type { ExpectationInput, ValidateScenarioRunInput } from '../generated/resolvers.ts';
import { likePattern } from '../rules/correlation.ts';
import {
  type Expectation,
  type JudgedExpectation,
  judge,
  outcome,
  type Seen,
  stepsFrom,
  type ValidationStatus,
} from '../rules/validation.ts';
import { record } from '../trail/own.ts';

/** A row of `scenario_validations`. */
export interface ValidationRow {
  runId: string;
  scenarioId: string;
  status: ValidationStatus;
  startedAt: string;
  endedAt: string | null;
  isComplete: boolean;
  expectations: JudgedExpectation[];
  validatedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ValidationPage = Connection<ValidationRow>;
export type ValidationPayload = CommandPayload<{ runId: string }>;

export const validations = entity<ValidationRow>({
  name: 'ScenarioValidation',
  table: 'scenario_validations',
  key: 'run_id',
  keyType: 'text',
});

export const validationList = connectionSource<ValidationRow>({
  table: 'scenario_validations',
  id: 'run_id',
  sorts: { CREATED_AT: 'created_at' },
});

const NAME_LENGTH = 255;
const EXPECTED_LIMIT = 100;

/** What the domains did until the end of a run is in the trail soon after; it is waited for so long. */
const PATIENCE_MS = 3_000; // 3 seconds

/** Looks for what was expected of a run. */
export async function validateScenarioRun(
  context: Context,
  input: ValidateScenarioRunInput,
): Promise<ValidationPayload> {
  const { endedAt } = input;
  const isComplete = endedAt ? await context.service.caughtUp(endedAt, PATIENCE_MS) : false;
  return command(context, 'validateScenarioRun', input, async (tx) => {
    const runId = boundedText(input.runId, NAME_LENGTH, ['input', 'runId']);
    const scenarioId = boundedText(input.scenarioId, NAME_LENGTH, ['input', 'scenarioId']);
    if (endedAt && Date.parse(endedAt) < Date.parse(input.startedAt)) {
      throw refuse.validation('endedAt must not lie before startedAt.', ['input', 'endedAt']);
    }
    const expected = expectations(input.expected);
    await checkStep(tx, runId, endedAt ? 'PASSED' : 'PENDING');
    const judged: JudgedExpectation[] = [];
    for (const one of expected) judged.push(await look(tx, one, input.startedAt, endedAt ?? null));
    const status = outcome(judged, Boolean(endedAt));
    const validatedAt = status === 'pending' ? null : context.now();
    await tx.$executeRaw(sql`
      insert into scenario_validations
        (run_id, scenario_id, status, started_at, ended_at, is_complete, expectations, validated_at, trace_id)
      values (${runId}, ${scenarioId}, ${status}, ${input.startedAt}::timestamptz, ${endedAt ?? null}::timestamptz,
              ${isComplete}, ${JSON.stringify(judged)}::jsonb, ${validatedAt}::timestamptz, ${context.traceId})
      on conflict (run_id) do update
        set scenario_id = excluded.scenario_id, status = excluded.status, started_at = excluded.started_at,
            ended_at = excluded.ended_at, is_complete = excluded.is_complete, expectations = excluded.expectations,
            validated_at = excluded.validated_at, trace_id = excluded.trace_id`);
    const metCount = judged.filter(({ withinSla }) => withinSla).length;
    await record(context, tx, {
      eventType: `scenario_validation_${status}`,
      entityType: 'ScenarioValidation',
      entityId: runId,
      payload: { scenarioId, expectedCount: judged.length, metCount },
    });
    return { runId };
  });
}

function expectations(given: readonly ExpectationInput[]): Expectation[] {
  if (given.length > EXPECTED_LIMIT) {
    throw refuse.validation(`expected takes at most ${EXPECTED_LIMIT}, but got ${given.length}.`, [
      'input',
      'expected',
    ]);
  }
  return given.map((one, i) => {
    const text = (name: 'name' | 'eventType' | 'serviceName' | 'afterEventType') => {
      const value = one[name];
      return value ? boundedText(value, NAME_LENGTH, ['input', 'expected', String(i), name]) : null;
    };
    if (one.withinMs < 0) {
      const message = `withinMs must be at least 0, but got ${one.withinMs}.`;
      throw refuse.validation(message, ['input', 'expected', String(i), 'withinMs']);
    }
    return {
      name: text('name') ?? one.eventType,
      eventType: boundedText(one.eventType, NAME_LENGTH, ['input', 'expected', String(i), 'eventType']),
      serviceName: text('serviceName'),
      withinMs: one.withinMs,
      afterEventType: text('afterEventType'),
    };
  });
}

async function checkStep(tx: Tx, runId: string, to: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ status: ValidationStatus }[]>(
    sql`select status from scenario_validations where run_id = ${runId} for update`,
  );
  if (!row || stepsFrom(row.status).length > 0) return;
  throw refuse.invalidTransition(row.status.toUpperCase(), to, [], ['input', 'runId']);
}

async function look(
  tx: Tx,
  expectation: Expectation,
  startedAt: string,
  endedAt: string | null,
): Promise<JudgedExpectation> {
  const { afterEventType, eventType, serviceName } = expectation;
  const trigger = afterEventType === null ? null : await firstOf(tx, afterEventType, null, startedAt, endedAt);
  const triggeredAt = afterEventType === null ? startedAt : (trigger?.timestamp ?? null);
  if (triggeredAt === null) return judge(expectation, null, null);
  return judge(expectation, triggeredAt, await firstOf(tx, eventType, serviceName, triggeredAt, endedAt));
}

async function firstOf(
  tx: Tx,
  eventType: string,
  serviceName: string | null,
  from: string,
  to: string | null,
): Promise<Seen | null> {
  const rows = await statementsOf(tx).query<Seen>(sql`
    select event_id as "eventId", to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as timestamp
      from audit_events
     where event_type like ${likePattern(eventType)} and timestamp >= ${from}::timestamptz
       and (${to}::timestamptz is null or timestamp <= ${to}::timestamptz)
       and (${serviceName}::text is null or service_name = ${serviceName})
     order by audit_events.timestamp, event_id limit 1`);
  return rows[0] ?? null;
}
