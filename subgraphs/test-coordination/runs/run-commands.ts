/** Starting, stopping and deleting runs. What a run does is the runner's. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { identifier, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import type { Context, Tx } from '../context.ts';
import type { DeleteTestRunInput, StartTestRunInput, StopTestRunInput } from '../generated/resolvers.ts';
import { findTemplate } from '../library/library.ts';
import { locksOf } from '../rules/definition.ts';
import { isOver, moveRun, type RunStatus } from '../rules/lifecycles.ts';
import { render } from '../rules/templates.ts';
import { LEAST_SCALE, MOST_SCALE, scaledTimeoutMs, timeoutMs } from '../rules/timing.ts';
import type { TargetLocks } from '../runner/locks.ts';
import { checkedDefinition, type DeletedPayload } from '../scenarios/scenario-commands.ts';

export type RunPayload = CommandPayload<{ runId: string }>;

/** Runs under way at most (domain.md §7.2). */
const CONCURRENT_RUNS = 3;

const NAME_LENGTH = 255;
const TEXT_LENGTH = 2_000;

export interface Asked {
  scenarioId: string;
  overrides: object | null;
  dryRun: boolean;
  timeScale: Decimal;
  testEnvironment: string | null;
  requestedBy: string | null;
}

/** The run's id is made before its locks, which are made before it: locks that nobody comes to use run out. */
export async function startTestRun(context: Context, input: StartTestRunInput): Promise<RunPayload> {
  const runId = input.runId ?? crypto.randomUUID();
  const { locks } = context.service;
  let locked: readonly string[] = [];
  const payload = await command(context, 'startTestRun', input, async (tx) => {
    boundedText(runId, NAME_LENGTH, ['input', 'runId']);
    const { overrides = null, testEnvironment, requestedBy } = input;
    const asked: Asked = {
      scenarioId: input.scenarioId,
      overrides: overrides && storableJson(overrides, ['input', 'overrides']),
      dryRun: input.dryRun ?? false,
      timeScale: scaleOf(input.timeScale ?? '1'),
      testEnvironment: testEnvironment ? boundedText(testEnvironment, NAME_LENGTH, ['input', 'testEnvironment']) : null,
      requestedBy: requestedBy ? boundedText(requestedBy, NAME_LENGTH, ['input', 'requestedBy']) : null,
    };
    const onLocked = (targets: readonly string[]) => {
      locked = targets;
    };
    await createRun(tx, { runId, asked, locks, traceId: context.traceId, onLocked });
    return { runId };
  });
  if (payload.errors.length > 0) await locks.release(runId, locked);
  return payload;
}

interface NewRun {
  runId: string;
  asked: Asked;
  locks: TargetLocks;
  traceId: string;
  /** Called once the run may hold locks, which whoever fails to store it releases. */
  onLocked(targets: readonly string[]): void;
}

/**
 * Stores a run, PENDING, and locks what it will disturb.
 * @throws Refusal (not found, validation, conflict)
 */
export async function createRun(tx: Tx, { runId, asked, locks, traceId, onLocked }: NewRun): Promise<void> {
  await tx.$executeRaw(sql`select pg_advisory_xact_lock(hashtext('test_runs'))`);
  const { scenarioId, dryRun, timeScale } = asked;
  const scenario = await tx.scenario.findUnique({ where: { scenarioId } });
  if (!scenario) throw refuse.notFound('Scenario', scenarioId, ['input', 'scenarioId']);
  if (scenario.status !== 'active') {
    const message = `Only an ACTIVE scenario is run; this one is ${scenario.status.toUpperCase()}.`;
    throw refuse.validation(message, ['input', 'scenarioId']);
  }
  if (await tx.testRun.findUnique({ where: { runId }, select: { runId: true } })) {
    throw refuse.conflict(null, `There is a run "${runId}" already.`, ['input', 'runId']);
  }
  await checkDependencies(tx, scenario.dependsOn);
  const alive = await tx.testRun.count({ where: { status: { in: ['pending', 'running'] } } });
  if (alive >= CONCURRENT_RUNS) {
    throw refuse.conflict(null, `${CONCURRENT_RUNS} runs are under way, which is the most there may be.`);
  }
  const configuration = overridden(scenario.templateId, scenario.configuration as object, asked.overrides);
  const definition = checkedDefinition(configuration, ['input', 'overrides']);
  const targets = dryRun ? [] : locksOf(definition);
  onLocked(targets);
  const holder = await locks.acquire(runId, targets);
  if (holder) {
    throw refuse.conflict(null, `Run "${holder.runId}" disturbs ${holder.target} until it is over.`);
  }
  await tx.testRun.create({
    data: {
      runId,
      scenarioId,
      configurationSnapshot: configuration,
      dryRun,
      timeScale,
      targets,
      traceId,
      timeoutMs: scaledTimeoutMs(timeoutMs(definition), timeScale.toNumber()),
      testEnvironment: asked.testEnvironment,
      requestedBy: asked.requestedBy,
    },
  });
}

export function stopTestRun(context: Context, input: StopTestRunInput): Promise<RunPayload> {
  return command(context, 'stopTestRun', input, async (tx) => {
    const { runId } = input;
    const reason = input.reason ? boundedText(input.reason, TEXT_LENGTH, ['input', 'reason']) : null;
    const status = await lockRun(tx, runId);
    if (isOver(status)) moveRun(status, 'cancelled');
    await tx.$executeRaw(sql`
      update test_runs set stop_requested_at = coalesce(stop_requested_at, ${context.now()}::timestamptz),
             stop_reason = coalesce(stop_reason, ${reason}) where run_id = ${runId}`);
    return { runId };
  });
}

const OF_A_RUN = ['run_phases', 'test_results', 'chaos_events', 'system_snapshots', 'execution_logs'];

export function deleteTestRun(context: Context, input: DeleteTestRunInput): Promise<DeletedPayload> {
  return command(context, 'deleteTestRun', input, async (tx) => {
    const run = await tx.testRun.findUnique({ where: { runId: input.runId } });
    if (!run) return { wasDeleted: false };
    if (!isOver(await lockRun(tx, input.runId))) {
      throw refuse.validation('It is under way: stop it first.', ['input', 'runId']);
    }
    // What is of a run stays as long as the run, and so goes after it.
    await tx.$executeRaw(sql`set constraints all deferred`);
    await tx.testRun.delete({ where: { runId: input.runId } });
    for (const table of OF_A_RUN)
      await tx.$executeRaw(sql`delete from ${identifier(table)} where run_id = ${input.runId}`);
    return { wasDeleted: true };
  });
}

/** Waits for other writers of the run, and gives where it stands. */
export async function lockRun(tx: Tx, runId: string): Promise<RunStatus> {
  const [run] = await tx.$queryRaw<{ status: RunStatus }[]>(
    sql`select status from test_runs where run_id = ${runId} for no key update`,
  );
  if (!run) throw refuse.notFound('TestRun', runId, ['input', 'runId']);
  return run.status;
}

function scaleOf(text: string): Decimal {
  const scale = dec(text);
  if (scale.gte(LEAST_SCALE) && scale.lte(MOST_SCALE) && scale.decimalPlaces() <= 4) return scale;
  const message = `timeScale must be ${LEAST_SCALE} to ${MOST_SCALE} with at most 4 decimals, but got ${text}.`;
  throw refuse.validation(message, ['input', 'timeScale']);
}

/** Parameters of the template make the configuration anew; parts of a configuration take the place of its own. */
function overridden(templateId: string | null, configuration: object, overrides: object | null): object {
  if (overrides === null || Object.keys(overrides).length === 0) return configuration;
  const template = templateId === null ? null : findTemplate(templateId);
  const ofTemplate = Object.entries(overrides).filter(([key]) => template && Object.hasOwn(template.parameters, key));
  const others = Object.entries(overrides).filter(([key]) => !ofTemplate.some(([own]) => own === key));
  const rendered = template && ofTemplate.length > 0 ? render(template, Object.fromEntries(ofTemplate)) : configuration;
  return { ...rendered, ...Object.fromEntries(others) };
}

/** A scenario is started when the latest run of each that it depends on has passed. */
async function checkDependencies(tx: Tx, dependsOn: readonly string[]): Promise<void> {
  for (const scenarioId of dependsOn) {
    const latest = await tx.testRun.findFirst({
      where: { scenarioId, dryRun: false },
      orderBy: [{ createdAt: 'desc' }, { runId: 'desc' }],
      select: { status: true },
    });
    if (latest?.status === 'passed') continue;
    const state = latest ? `its latest run is ${latest.status.toUpperCase()}` : 'it has never run';
    throw refuse.conflict(null, `It depends on scenario "${scenarioId}", which has not PASSED: ${state}.`, [
      'input',
      'scenarioId',
    ]);
  }
}
