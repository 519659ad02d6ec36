/** Creating scenarios and moving them between their states, by command and by time. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import { normaliseSymbols } from '../../../platform/symbols.ts';
import { boundedText } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import type { CreateMarketScenarioInput, ScheduleMarketScenarioInput } from '../generated/resolvers.ts';
import { lockTickers } from '../locks.ts';
import { activeManipulations, republish, restore } from './manipulations.ts';
import { bentPrice } from './rules/price-effect.ts';
import { dueSteps, moveScenario, type ScenarioState } from './rules/scenario-lifecycle.ts';
import { checkPlan, deviationOf, SCENARIO_LIMITS, type ScenarioType, timelineOf } from './rules/scenario-limits.ts';

export type ScenarioPayload = CommandPayload<{ scenarioId: string }>;

interface ScenarioInput {
  scenarioId: string;
  idempotencyKey?: string | null | undefined;
}

const NAME_LENGTH = 200;
const REASON_LENGTH = 500;

/** Inserts a draft, or a scheduled scenario when the input says when it starts. */
export function createMarketScenario(context: Context, input: CreateMarketScenarioInput): Promise<ScenarioPayload> {
  return command(context, 'createMarketScenario', input, async (tx) => {
    const symbols = normaliseSymbols(input.symbols, ['input', 'symbols']);
    const plan = {
      type: input.type,
      symbols,
      intensity: dec(input.intensity ?? 1),
      deviation: input.deviation == null ? null : dec(input.deviation),
      isGradual: input.isGradual ?? true,
      durationMinutes: input.durationMinutes,
      recoveryFactor: dec(input.recoveryFactor ?? '0.5'),
    };
    const deviation = checkPlan(plan);
    await checkInstruments(tx, plan);
    const scheduledFor = input.startAt ?? null;
    if (scheduledFor !== null) checkFuture(context, scheduledFor, ['input', 'startAt']);
    const { scenarioId } = await tx.marketScenario.create({
      data: {
        ...plan,
        deviation,
        name: boundedText(input.name, NAME_LENGTH, ['input', 'name']),
        seed: input.seed ?? 0,
        state: scheduledFor === null ? 'DRAFT' : 'SCHEDULED',
        scheduledFor,
        createdBy: input.createdBy == null ? null : boundedText(input.createdBy, NAME_LENGTH, ['input', 'createdBy']),
        traceId: context.traceId,
      },
      select: { scenarioId: true },
    });
    return { scenarioId };
  });
}

async function checkInstruments(tx: Tx, { type, symbols }: { type: ScenarioType; symbols: string[] }): Promise<void> {
  const known = await tx.instrument.findMany({ where: { symbol: { in: symbols } }, include: { base: true } });
  const missing = symbols.find((symbol) => !known.some((instrument) => instrument.symbol === symbol));
  if (missing !== undefined) throw refuse.notFound('Instrument', missing, ['input', 'symbols']);
  const other = known.find(({ base }) => base.kind !== 'stablecoin');
  if (type === 'STABLECOIN_DEPEG' && other) {
    const message = `STABLECOIN_DEPEG takes instruments whose base asset is a STABLECOIN, but got ${other.symbol}.`;
    throw refuse.validation(message, ['input', 'symbols']);
  }
}

function checkFuture(context: Context, instant: string, path: string[]): void {
  if (Date.parse(instant) >= context.now().getTime()) return;
  throw refuse.validation(`A scenario starts now or later, but got ${instant}.`, path);
}

/** Draft → scheduled. */
export function scheduleMarketScenario(context: Context, input: ScheduleMarketScenarioInput): Promise<ScenarioPayload> {
  return command(context, 'scheduleMarketScenario', input, async (tx) => {
    const scenario = await lockScenario(tx, input.scenarioId);
    moveScenario(scenario.state, 'SCHEDULED');
    checkFuture(context, input.startAt, ['input', 'startAt']);
    const changes = [sql`scheduled_for = ${input.startAt}::timestamptz`];
    await writeState(tx, scenario, 'SCHEDULED', changes, context.traceId);
    return { scenarioId: scenario.scenarioId };
  });
}

/** Draft or scheduled → running, at once. */
export function startMarketScenario(context: Context, input: ScenarioInput): Promise<ScenarioPayload> {
  return command(context, 'startMarketScenario', input, async (tx) => {
    const scenario = await lockScenario(tx, input.scenarioId);
    const scheduled = scenario.state === 'DRAFT' ? moveScenario('DRAFT', 'SCHEDULED') : scenario.state;
    moveScenario(scheduled, 'RUNNING');
    await run(tx, scenario, context.now().getTime(), context.traceId);
    return { scenarioId: scenario.scenarioId };
  });
}

/** Running or recovering → stopped, scheduled → cancelled. The true prices are published again at once. */
export function stopMarketScenario(
  context: Context,
  input: ScenarioInput & { reason?: string | null | undefined },
): Promise<ScenarioPayload> {
  return command(context, 'stopMarketScenario', input, async (tx) => {
    const scenario = await lockScenario(tx, input.scenarioId);
    const to = moveScenario(scenario.state, scenario.state === 'SCHEDULED' ? 'CANCELLED' : 'STOPPED');
    const reason = input.reason == null ? null : boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    await end(tx, scenario, to, reason, context.now().getTime(), context.traceId);
    return { scenarioId: scenario.scenarioId };
  });
}

interface LockedScenario {
  scenarioId: string;
  type: ScenarioType;
  symbols: string[];
  deviation: string;
  isGradual: boolean;
  durationMinutes: number;
  recoveryFactor: string;
  seed: number;
  state: ScenarioState;
  scheduledForMs: number | null;
  recoversAtMs: number | null;
  endsAtMs: number | null;
}

/** @throws Refusal (not found) when there is none */
async function lockScenario(tx: Tx, scenarioId: string): Promise<LockedScenario> {
  const [scenario] = isUuid(scenarioId) ? await lockWhere(tx, sql`scenario_id = ${scenarioId}::uuid`) : [];
  if (!scenario) throw refuse.notFound('MarketScenario', scenarioId, ['input', 'scenarioId']);
  return scenario;
}

function lockWhere(tx: Tx, condition: Sql): Promise<LockedScenario[]> {
  return tx.$queryRaw<LockedScenario[]>(sql`
    select scenario_id as "scenarioId", type, symbols, deviation::text, is_gradual as "isGradual",
           duration_minutes as "durationMinutes", recovery_factor::text as "recoveryFactor", seed, state,
           extract(epoch from scheduled_for)::float8 * 1000 as "scheduledForMs",
           extract(epoch from recovers_at)::float8 * 1000 as "recoversAtMs",
           extract(epoch from ends_at)::float8 * 1000 as "endsAtMs"
      from market_scenarios where ${condition} order by scenario_id for no key update`);
}

async function writeState(
  tx: Tx,
  { scenarioId }: LockedScenario,
  state: ScenarioState,
  changes: readonly Sql[],
  traceId: string,
): Promise<void> {
  const others = changes.reduce((list, change) => sql`${list}, ${change}`, sql`trace_id = ${traceId}`);
  await tx.$executeRaw(sql`
    update market_scenarios set state = ${state}, ${others} where scenario_id = ${scenarioId}::uuid`);
}

const at = (ms: number) => sql`to_timestamp(${ms / 1_000}::float8)`;

/**
 * Begins to bend the prices.
 * @throws Refusal when an instrument is inactive, was never priced, or is bent already
 */
async function run(tx: Tx, scenario: LockedScenario, nowMs: number, traceId: string): Promise<void> {
  const { scenarioId, type, symbols, seed } = scenario;
  const deviation = dec(scenario.deviation);
  const timeline = timelineOf({ ...scenario, recoveryFactor: dec(scenario.recoveryFactor) }, nowMs);
  await lockTickers(tx, symbols);
  await checkFree(tx, symbols);
  for (const [nth, symbol] of symbols.entries()) {
    const ticker = await tx.ticker.findUnique({ where: { symbol } });
    if (!ticker)
      throw refuse.validation(`${symbol} was never priced, so there is nothing to bend.`, ['input', 'scenarioId']);
    const { pattern } = SCENARIO_LIMITS[type];
    const own = deviationOf(type, deviation, nth);
    const anchor = dec(ticker.lastPrice);
    const full = { pattern, deviation: own, seed, anchor, ...timeline };
    const target = bentPrice(full, anchor, timeline.fullMs);
    await tx.$executeRaw(sql`
      insert into price_manipulations (scenario_id, symbol, pattern, deviation, seed, anchor_price, target_price,
             original_price, original_bid, original_ask, published_price, started_at, full_at, recovers_at, ends_at, trace_id)
      select ${scenarioId}::uuid, symbol, ${pattern}, ${own.toFixed()}::numeric, ${seed}, last_price, ${target.toFixed()}::numeric,
             last_price, bid, ask, last_price, ${at(timeline.startMs)}, ${at(timeline.fullMs)}, ${at(timeline.recoversMs)},
             ${at(timeline.endsMs)}, ${traceId}
        from tickers where symbol = ${symbol}`);
  }
  const changes = [
    sql`started_at = ${at(timeline.startMs)}`,
    sql`scheduled_for = coalesce(scheduled_for, ${at(nowMs)})`,
    sql`recovers_at = ${at(timeline.recoversMs)}`,
    sql`ends_at = ${at(timeline.endsMs)}`,
  ];
  await writeState(tx, scenario, 'RUNNING', changes, traceId);
  await republish(tx, [...(await activeManipulations(tx, symbols)).values()], nowMs, traceId);
}

async function checkFree(tx: Tx, symbols: readonly string[]): Promise<void> {
  const [inactive] = await tx.$queryRaw<{ symbol: string }[]>(
    sql`select symbol from symbols where symbol = any(${[...symbols]}::text[]) and not is_active order by symbol limit 1`,
  );
  const path = ['input', 'scenarioId'];
  if (inactive) throw refuse.validation(`${inactive.symbol} is not active, so no scenario may bend its price.`, path);
  const [bent] = (await activeManipulations(tx, symbols)).values();
  if (bent) throw refuse.conflict(null, `Another scenario bends the price of ${bent.symbol} until it ends.`, path);
}

/** A terminal state: nothing of the scenario is published any more. */
async function end(
  tx: Tx,
  scenario: LockedScenario,
  to: ScenarioState,
  reason: string | null,
  nowMs: number,
  traceId: string,
): Promise<void> {
  await lockTickers(tx, scenario.symbols);
  const bent = [...(await activeManipulations(tx, scenario.symbols)).values()];
  const own = new Set(
    (
      await tx.$queryRaw<{ id: string }[]>(sql`
        update price_manipulations set state = 'ENDED', ended_at = ${at(nowMs)}, published_price = original_price,
               trace_id = ${traceId}
         where scenario_id = ${scenario.scenarioId}::uuid and state = 'ACTIVE' returning manipulation_id as id`)
    ).map(({ id }) => id),
  );
  await restore(
    tx,
    bent.filter(({ manipulationId }) => own.has(manipulationId)),
    traceId,
  );
  await writeState(tx, scenario, to, [sql`ended_at = ${at(nowMs)}`, sql`reason = ${reason}`], traceId);
}

const IS_ALIVE = sql`state in ('SCHEDULED', 'RUNNING', 'RECOVERING')`;

/** Leads every scenario where time has led it by now. Gives whether any is still to be led. */
export async function sweepScenarios(tx: Tx, now: Date, traceId: string): Promise<boolean> {
  const nowMs = now.getTime();
  const alive = await lockWhere(tx, IS_ALIVE);
  // All at once: one scenario's after another's would not be in the order in which others lock them.
  await lockTickers(
    tx,
    alive.flatMap(({ symbols }) => symbols),
  );
  for (const scenario of alive) await lead(tx, scenario, nowMs, traceId);
  return alive.length > 0;
}

async function lead(tx: Tx, scenario: LockedScenario, nowMs: number, traceId: string): Promise<void> {
  const isRunning = scenario.state !== 'SCHEDULED';
  const steps = dueSteps(scenario, nowMs);
  if (isRunning && !steps.includes('COMPLETED') && (await hasInactive(tx, scenario.symbols))) {
    await end(tx, scenario, moveScenario(scenario.state, 'FAILED'), 'An instrument was deactivated.', nowMs, traceId);
    return;
  }
  for (const step of steps) {
    if (step === 'RUNNING') await runOrCancel(tx, scenario, nowMs, traceId);
    else if (step === 'RECOVERING') await writeState(tx, scenario, step, [], traceId);
    else await end(tx, scenario, step, null, nowMs, traceId);
  }
  if (!isRunning || steps.includes('COMPLETED')) return;
  await lockTickers(tx, scenario.symbols);
  await republish(tx, [...(await activeManipulations(tx, scenario.symbols)).values()], nowMs, traceId);
}

/** A scheduled scenario that cannot start when its time has come is cancelled and says why. */
async function runOrCancel(tx: Tx, scenario: LockedScenario, nowMs: number, traceId: string): Promise<void> {
  await tx.$executeRaw(sql`savepoint starting`);
  try {
    await run(tx, scenario, nowMs, traceId);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await tx.$executeRaw(sql`rollback to savepoint starting`);
    await end(tx, scenario, 'CANCELLED', error.userError.message.slice(0, REASON_LENGTH), nowMs, traceId);
  }
}

async function hasInactive(tx: Tx, symbols: readonly string[]): Promise<boolean> {
  return (await tx.instrument.count({ where: { symbol: { in: [...symbols] }, isActive: false } })) > 0;
}
