/** Asking for backtests and calling them off. What does them is in runner.ts. */
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { isUniqueViolation } from '../../../platform/database/database-error.ts';
import { sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { boundedText, isStorable } from '../../../platform/texts.ts';
import type { Context } from '../context.ts';
import type { CancelBacktestInput, StartBacktestInput } from '../generated/resolvers.ts';
import { requireInstruments } from '../references.ts';
import { positiveAmount } from '../rules/amounts.ts';
import { ID_LENGTH } from '../rules/texts.ts';
import { type StrategyRow, strategies } from '../strategies.ts';
import { type BacktestStatus, moveBacktest } from './rules/lifecycle.ts';
import { backtestType, checkBars, feeRate, readParameters, SYMBOLS_LIMIT, slippage } from './rules/settings.ts';

export type BacktestPayload = CommandPayload<{ runId: string }>;

/** Runs that wait or run at once: more of them would only wait longer. */
const WAITING_LIMIT = 1_000;

/** Inserts a run, pending; a process takes it up at once. */
export async function startBacktest(context: Context, input: StartBacktestInput): Promise<BacktestPayload> {
  const checked = await beforehand(context.domain, async () => {
    const { strategyId = null } = input;
    const strategy = strategyId === null ? null : await context.load(strategies, strategyId);
    if (strategyId !== null && strategy === null) {
      throw refuse.notFound('Strategy', strategyId, ['input', 'strategyId']);
    }
    const run = newRun(input, strategy);
    await requireInstruments(context.graph, run.symbols);
    return run;
  });
  return command(context, 'startBacktest', input, async (tx) => {
    const run = checked();
    const waiting = await tx.backtestRun.count({ where: { status: { in: ['pending', 'running'] } } });
    if (waiting >= WAITING_LIMIT) {
      throw refuse.validation(`${waiting} backtests wait already, and at most ${WAITING_LIMIT} may.`);
    }
    try {
      await tx.backtestRun.create({ data: { ...run, traceId: context.traceId } });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw refuse.conflict(null, `A backtest with id "${run.runId}" exists already.`, ['input', 'runId']);
    }
    return { runId: run.runId };
  });
}

function newRun(input: StartBacktestInput, strategy: StrategyRow | null) {
  const { runId = null, type = null, symbols = null, from, to, interval } = input;
  const strategyType = type === null ? strategy?.strategyType : stored(type);
  if (!strategyType) throw refuse.validation('type must be given where strategyId is not.', ['input', 'type']);
  const kind = backtestType(strategyType);
  if (kind === null) {
    throw refuse.validation(
      `A backtest knows TREND_FOLLOWING, MEAN_REVERSION and MOMENTUM, but got ${strategyType.toUpperCase()}.`,
      ['input', 'type'],
    );
  }
  // A strategy's own settings may be those of another kind, or hold more than a backtest knows.
  const own = strategy?.strategyType === kind ? readParameters(kind, strategy.parameters, { isStrict: false }) : {};
  const chosen = readSymbols(symbols ?? strategy?.instruments ?? []);
  checkBars(from, to, interval, chosen.length);
  return {
    runId: runId === null ? crypto.randomUUID() : boundedText(runId, ID_LENGTH, ['input', 'runId']),
    strategyId: strategy?.strategyId ?? null,
    strategyType: kind,
    parameters: readParameters(kind, { ...own, ...input.parameters }),
    symbols: chosen,
    interval: stored(interval),
    fromTime: from,
    toTime: to,
    initialCapital: positiveAmount(input.initialCapital ?? '10000', ['input', 'initialCapital']),
    feeRate: feeRate(input.feeRate ?? '0.001'),
    slippageBps: slippage(input.slippageBps ?? '5'),
  };
}

function readSymbols(symbols: readonly string[]): string[] {
  const path = ['input', 'symbols'];
  const chosen = [...new Set(symbols.map((symbol, index) => normaliseSymbol(symbol, [...path, String(index)])))];
  if (chosen.length >= 1 && chosen.length <= SYMBOLS_LIMIT) return chosen;
  throw refuse.validation(`symbols must name 1 to ${SYMBOLS_LIMIT} instruments, but got ${chosen.length}.`, path);
}

/** Pending or running → cancelled. The process that does it finds out within a second and throws away what it has. */
export function cancelBacktest(context: Context, input: CancelBacktestInput): Promise<BacktestPayload> {
  return command(context, 'cancelBacktest', input, async (tx) => {
    const { runId } = input;
    const rows = isStorable(runId)
      ? await tx.$queryRaw<{ status: BacktestStatus }[]>(
          sql`select status from backtest_runs where run_id = ${runId} for no key update`,
        )
      : [];
    if (!rows[0]) throw refuse.notFound('BacktestRun', runId, ['input', 'runId']);
    const status = moveBacktest(rows[0].status, 'cancelled');
    await tx.$executeRaw(
      sql`update backtest_runs
             set status = ${status}, claimed_by = null, claimed_until = null, finished_at = clock_timestamp(),
                 trace_id = ${context.traceId}
           where run_id = ${runId}`,
    );
    return { runId };
  });
}
