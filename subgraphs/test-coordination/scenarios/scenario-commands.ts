/** Writing scenarios, and moving them on. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import { checkVersion } from '../../../platform/versions.ts';
import type { Context, Tx } from '../context.ts';
import type {
  ActivateScenarioInput,
  CreateScenarioInput,
  DeleteScenarioInput,
  RenderTemplateInput,
  UpdateScenarioInput,
  ValidateScenarioInput,
} from '../generated/resolvers.ts';
import { templateOf } from '../library/library.ts';
import { type Definition, readDefinition, servicesOf } from '../rules/definition.ts';
import { moveScenario, type ScenarioStatus } from '../rules/lifecycles.ts';
import { nextRun } from '../rules/schedule.ts';
import { render } from '../rules/templates.ts';
import { plannedMs, timeoutMs } from '../rules/timing.ts';

export type ScenarioPayload = CommandPayload<{ scenarioId: string }>;
export type DeletedPayload = CommandPayload<{ wasDeleted: boolean }>;
export type ValidationPayload = CommandPayload<{
  isValid: boolean;
  problems: string[];
  durationSeconds: number | null;
}>;
export type RenderedPayload = CommandPayload<{ configuration: Record<string, unknown> }>;

const NAME_LENGTH = 255;
const TEXT_LENGTH = 2_000;
const LIST_LIMIT = 50;
const DEPENDENCIES_LIMIT = 20;

export function createScenario(context: Context, input: CreateScenarioInput): Promise<ScenarioPayload> {
  return command(context, 'createScenario', input, async (tx) => {
    const template = input.templateId ? templateOf(input.templateId, ['input', 'templateId']) : null;
    if ((template === null) === (input.configuration == null)) {
      throw refuse.validation('Give either a configuration or a template.', ['input', 'configuration']);
    }
    if (template === null && (!input.type || !input.category)) {
      throw refuse.validation('A scenario that is made from no template has a type and a category.', ['input', 'type']);
    }
    const configuration = template ? render(template, input.parameters ?? {}) : (input.configuration as object);
    const scenarioId = input.scenarioId
      ? boundedText(input.scenarioId, NAME_LENGTH, ['input', 'scenarioId'])
      : crypto.randomUUID();
    const dependsOn = await checkDependencies(tx, scenarioId, input.dependsOn ?? []);
    const taken = await tx.scenario.findUnique({ where: { scenarioId }, select: { version: true } });
    if (taken)
      throw refuse.conflict(taken.version, `There is a scenario "${scenarioId}" already.`, ['input', 'scenarioId']);
    const { name, description } = input;
    await tx.scenario.create({
      data: {
        scenarioId,
        name: boundedText(name, NAME_LENGTH, ['input', 'name']),
        description: description ? boundedText(description, TEXT_LENGTH, ['input', 'description']) : null,
        scenarioType: input.type ? stored(input.type) : (template?.type as string),
        category: input.category ? stored(input.category) : (template?.category as string),
        expectedOutcomes: texts(input.expectedOutcomes ?? [...(template?.expectedOutcomes ?? [])], 'expectedOutcomes'),
        tags: texts(input.tags ?? [...(template?.tags ?? [])], 'tags'),
        templateId: template?.templateId ?? null,
        dependsOn,
        createdBy: input.createdBy ? boundedText(input.createdBy, NAME_LENGTH, ['input', 'createdBy']) : null,
        traceId: context.traceId,
        ...partsOf(configuration),
        ...scheduleOf(input.schedule ?? null, context.now()),
      },
    });
    return { scenarioId };
  });
}

export function updateScenario(context: Context, input: UpdateScenarioInput): Promise<ScenarioPayload> {
  return command(context, 'updateScenario', input, async (tx) => {
    const { scenarioId, status } = await lockScenario(tx, input);
    if (status !== 'draft' && status !== 'active') {
      throw refuse.validation(`Only a DRAFT or ACTIVE scenario changes; this one is ${status.toUpperCase()}.`, [
        'input',
        'scenarioId',
      ]);
    }
    const { name, description, configuration, expectedOutcomes, tags, dependsOn, schedule } = input;
    await tx.scenario.update({
      where: { scenarioId },
      data: {
        traceId: context.traceId,
        ...(name && { name: boundedText(name, NAME_LENGTH, ['input', 'name']) }),
        ...(description !== undefined && {
          description: description && boundedText(description, TEXT_LENGTH, ['input', 'description']),
        }),
        ...(configuration && partsOf(configuration)),
        ...(expectedOutcomes && { expectedOutcomes: texts(expectedOutcomes, 'expectedOutcomes') }),
        ...(tags && { tags: texts(tags, 'tags') }),
        ...(dependsOn && { dependsOn: await checkDependencies(tx, scenarioId, dependsOn) }),
        ...(schedule !== undefined && scheduleOf(schedule, context.now())),
      },
    });
    return { scenarioId };
  });
}

export function deleteScenario(context: Context, input: DeleteScenarioInput): Promise<DeletedPayload> {
  return command(context, 'deleteScenario', input, async (tx) => {
    const { scenarioId } = input;
    await tx.$queryRaw(sql`select 1 from scenarios where scenario_id = ${scenarioId} for update`);
    if ((await tx.testRun.count({ where: { scenarioId } })) > 0) {
      throw refuse.validation('It has run, and its runs are kept: archive it instead.', ['input', 'scenarioId']);
    }
    const dependent = await tx.scenario.findFirst({ where: { dependsOn: { has: scenarioId } } });
    if (dependent) {
      throw refuse.validation(`Scenario "${dependent.scenarioId}" depends on it.`, ['input', 'scenarioId']);
    }
    const { count } = await tx.scenario.deleteMany({ where: { scenarioId } });
    return { wasDeleted: count > 0 };
  });
}

/** Moves a scenario to another status. Only what is ACTIVE keeps its schedule going. */
export function stepScenario(
  context: Context,
  operation: string,
  input: ActivateScenarioInput,
  to: ScenarioStatus,
): Promise<ScenarioPayload> {
  return command(context, operation, input, async (tx) => {
    const { scenarioId, status, schedule } = await lockScenario(tx, input);
    moveScenario(status, to);
    const nextRunAt = to === 'active' && schedule !== null ? nextRun(schedule, context.now()) : null;
    await tx.scenario.update({ where: { scenarioId }, data: { status: to, nextRunAt, traceId: context.traceId } });
    return { scenarioId };
  });
}

export function validateScenario(context: Context, input: ValidateScenarioInput): Promise<ValidationPayload> {
  return command(context, 'validateScenario', input, async (tx) => {
    const { scenarioId, configuration } = input;
    if ((scenarioId == null) === (configuration == null)) {
      throw refuse.validation('Give either a scenario or a configuration.', ['input']);
    }
    const kept = scenarioId == null ? null : await tx.scenario.findUnique({ where: { scenarioId } });
    if (scenarioId != null && !kept) throw refuse.notFound('Scenario', scenarioId, ['input', 'scenarioId']);
    const read = readDefinition(kept ? kept.configuration : configuration);
    if ('problems' in read) return { isValid: false, problems: read.problems, durationSeconds: null };
    return { isValid: true, problems: [], durationSeconds: plannedMs(read.definition) / 1_000 };
  });
}

export function renderTemplate(context: Context, input: RenderTemplateInput): Promise<RenderedPayload> {
  return command(context, 'renderTemplate', input, async () => ({
    configuration: render(templateOf(input.templateId, ['input', 'templateId']), input.parameters ?? {}),
  }));
}

/**
 * What a configuration says.
 * @throws Refusal (validation) with all that is wrong with it
 */
export function checkedDefinition(configuration: unknown, path = ['input', 'configuration']): Definition {
  const read = readDefinition(configuration);
  if ('definition' in read) return read.definition;
  throw refuse.validation(`The configuration is wrong: ${read.problems.join('; ')}.`, path);
}

/** The columns that follow from a configuration. */
export function partsOf(configuration: object) {
  storableJson(configuration, ['input', 'configuration']);
  const definition = checkedDefinition(configuration);
  return {
    configuration,
    servicesUnderTest: servicesOf(definition),
    durationMs: Math.max(plannedMs(definition), 1),
    timeoutMs: timeoutMs(definition),
  };
}

function scheduleOf(schedule: string | null, now: Date) {
  return { schedule, nextRunAt: schedule === null ? null : nextRun(schedule, now) };
}

function texts(given: string[], field: string): string[] {
  if (given.length > LIST_LIMIT) {
    throw refuse.validation(`${field} holds at most ${LIST_LIMIT}, but got ${given.length}.`, ['input', field]);
  }
  return [...new Set(given.map((text) => boundedText(text, NAME_LENGTH, ['input', field])))];
}

/** Refuses what is not there, itself, and what depends on it in turn. */
async function checkDependencies(tx: Tx, scenarioId: string, given: readonly string[]): Promise<string[]> {
  const path = ['input', 'dependsOn'];
  const wanted = [...new Set(given)];
  if (wanted.length > DEPENDENCIES_LIMIT) {
    throw refuse.validation(`dependsOn holds at most ${DEPENDENCIES_LIMIT}, but got ${wanted.length}.`, path);
  }
  const known = await tx.scenario.findMany({ where: { scenarioId: { in: wanted } }, select: { scenarioId: true } });
  const missing = wanted.find((id) => !known.some((one) => one.scenarioId === id));
  if (missing !== undefined) throw refuse.notFound('Scenario', missing, path);
  const [circle] = await tx.$queryRaw<{ id: string }[]>(sql`
    with recursive needed (id) as (
      select unnest(${wanted}::text[])
      union select unnest(depends_on) from scenarios join needed on scenario_id = needed.id)
    select id from needed where id = ${scenarioId}`);
  if (circle) throw refuse.validation('A scenario cannot depend on itself, nor on what depends on it.', path);
  return wanted;
}

interface LockedScenario {
  scenarioId: string;
  status: ScenarioStatus;
  schedule: string | null;
  version: number;
}

async function lockScenario(
  tx: Tx,
  input: { scenarioId: string; expectedVersion?: number | null | undefined },
): Promise<LockedScenario> {
  const [scenario] = await tx.$queryRaw<LockedScenario[]>(sql`
    select scenario_id as "scenarioId", status, schedule, version
      from scenarios where scenario_id = ${input.scenarioId} for no key update`);
  if (!scenario) throw refuse.notFound('Scenario', input.scenarioId, ['input', 'scenarioId']);
  checkVersion(scenario.version, input.expectedVersion, '');
  return scenario;
}
