/** Creating and configuring strategies. */
import { beforehand, type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { sql } from '../../platform/database/sql.ts';
import { shown, stored } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText, storableJson } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context, Tx } from './context.ts';
import type { ConfigureStrategyInput, CreateStrategyInput, DeleteStrategyInput } from './generated/resolvers.ts';
import { lockStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { isOpenPosition } from './positions.ts';
import { requireAccount, requireInstruments } from './references.ts';
import { positiveAmount } from './rules/amounts.ts';
import { amountLimit, instrumentSymbols, leverageLimit, venueNames } from './rules/strategy-settings.ts';
import { ID_LENGTH, NAME_LENGTH } from './rules/texts.ts';

export type StrategyPayload = CommandPayload<{ strategyId: string }>;

/** Inserts a strategy, inactive. Its instruments and its account must exist in the domains that own them. */
export async function createStrategy(context: Context, input: CreateStrategyInput): Promise<StrategyPayload> {
  const checked = await beforehand(context.domain, async () => {
    const row = newStrategy(input);
    await Promise.all([
      requireInstruments(context.graph, row.instruments),
      requireAccount(context.graph, row.accountId),
    ]);
    return row;
  });
  return command(context, 'createStrategy', input, async (tx) => {
    const row = checked();
    const { strategyId } = row;
    try {
      await tx.strategy.create({ data: { ...row, traceId: context.traceId } });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw refuse.conflict(null, `A strategy with id "${strategyId}" exists already.`, ['input', 'strategyId']);
    }
    return { strategyId };
  });
}

function newStrategy(input: CreateStrategyInput) {
  const { strategyId = null } = input;
  if (!isUuid(input.accountId)) {
    throw refuse.validation(`accountId must be a UUID, but got "${input.accountId}".`, ['input', 'accountId']);
  }
  return {
    strategyId: strategyId === null ? crypto.randomUUID() : boundedText(strategyId, ID_LENGTH, ['input', 'strategyId']),
    name: boundedText(input.name, NAME_LENGTH, ['input', 'name']),
    strategyType: stored(input.type),
    accountId: input.accountId,
    instruments: instrumentSymbols(input.symbols),
    venueIds: venueNames(input.venueIds ?? []),
    parameters: jsonParameters(input.parameters ?? {}),
    capital: capitalGiven(input.capital ?? null),
    maxPositionSize: amountLimit(input.maxPositionSize ?? null, 'maxPositionSize'),
    maxDailyLoss: amountLimit(input.maxDailyLoss ?? null, 'maxDailyLoss'),
    maxLeverage: leverageLimit(input.maxLeverage ?? null),
  };
}

/** Changes what the input names. Refused while the strategy trades, and when its version has moved. */
export async function configureStrategy(context: Context, input: ConfigureStrategyInput): Promise<StrategyPayload> {
  const checked = await beforehand(context.domain, async () => {
    const changes = settingsOf(input);
    if (changes.instruments) await requireInstruments(context.graph, changes.instruments);
    return changes;
  });
  return command(context, 'configureStrategy', input, async (tx) => {
    const changes = checked();
    const strategy = await lockStrategy(tx, input.strategyId);
    if (strategy.version !== input.expectedVersion) throw refuse.conflict(strategy.version);
    if (strategy.status === 'active') {
      throw refuse.validation('An ACTIVE strategy cannot be configured. Pause or stop it first.', [
        'input',
        'strategyId',
      ]);
    }
    if (changes.instruments) await checkNothingIsLeftOut(tx, strategy.strategyId, changes.instruments);
    await tx.strategy.update({
      where: { strategyId: strategy.strategyId },
      data: { ...changes, traceId: context.traceId },
    });
    return { strategyId: strategy.strategyId };
  });
}

/**
 * Removes a strategy that is at rest and has never traded: with orders or positions, archived ones too, it stays, since
 * they are facts. Its backtests stay without it.
 */
export function deleteStrategy(context: Context, input: DeleteStrategyInput): Promise<StrategyPayload> {
  return command(context, 'deleteStrategy', input, async (tx) => {
    const { strategyId, status } = await lockStrategy(tx, input.strategyId);
    if (status !== 'inactive' && status !== 'stopped') {
      throw refuse.validation(`The strategy is ${shown(status)}; only an INACTIVE or STOPPED one can be deleted.`, [
        'input',
        'strategyId',
      ]);
    }
    const [used] = await tx.$queryRaw<{ by: string }[]>(
      sql`(select 'orders' as by from all_orders where strategy_id = ${strategyId} limit 1)
           union all (select 'positions' from all_positions where strategy_id = ${strategyId} limit 1)`,
    );
    if (used) {
      throw refuse.validation(`The strategy has ${used.by}, which are kept: it can only be stopped.`, [
        'input',
        'strategyId',
      ]);
    }
    await tx.backtestRun.updateMany({ where: { strategyId }, data: { strategyId: null } });
    await tx.strategy.delete({ where: { strategyId } });
    return { strategyId };
  });
}

/** The columns that change: only those whose field is in the input. Null lifts a limit. */
function settingsOf(input: ConfigureStrategyInput) {
  const { capital, maxPositionSize, maxDailyLoss, maxLeverage } = input;
  const name = notNull(input.name, 'name');
  const symbols = notNull(input.symbols, 'symbols');
  const venueIds = notNull(input.venueIds, 'venueIds');
  const parameters = notNull(input.parameters, 'parameters');
  return {
    ...(name !== undefined && { name: boundedText(name, NAME_LENGTH, ['input', 'name']) }),
    ...(symbols !== undefined && { instruments: instrumentSymbols(symbols) }),
    ...(venueIds !== undefined && { venueIds: venueNames(venueIds) }),
    ...(parameters !== undefined && { parameters: jsonParameters(parameters) }),
    ...(capital !== undefined && { capital: capitalGiven(capital) }),
    ...(maxPositionSize !== undefined && { maxPositionSize: amountLimit(maxPositionSize, 'maxPositionSize') }),
    ...(maxDailyLoss !== undefined && { maxDailyLoss: amountLimit(maxDailyLoss, 'maxDailyLoss') }),
    ...(maxLeverage !== undefined && { maxLeverage: leverageLimit(maxLeverage) }),
  };
}

function capitalGiven(capital: string | null) {
  return capital === null ? null : positiveAmount(capital, ['input', 'capital']);
}

/** A setting that can be left out but not be taken away. */
function notNull<Value>(value: Value | null | undefined, field: string): Value | undefined {
  if (value === null) throw refuse.validation(`${field} cannot be null. Leave it out.`, ['input', field]);
  return value;
}

/** A strategy that still holds an instrument, or has orders for it, must remain able to trade out of it. */
async function checkNothingIsLeftOut(tx: Tx, strategyId: string, symbols: string[]): Promise<void> {
  const [left] = await tx.$queryRaw<{ symbol: string }[]>(
    sql`select instrument_id as symbol from (
          select instrument_id from positions where strategy_id = ${strategyId} and ${isOpenPosition}
           union select instrument_id from orders where strategy_id = ${strategyId} and ${isActiveOrder}) as used
         where instrument_id <> all(${symbols}::text[]) order by 1 limit 1`,
  );
  if (!left) return;
  throw refuse.validation(`${left.symbol} cannot be left out: there is an open position or an active order in it.`, [
    'input',
    'symbols',
  ]);
}

/** Prisma takes JSON as plain objects and arrays, which is what the JSON scalar gives. */
function jsonParameters(parameters: Record<string, unknown>) {
  return storableJson(parameters, ['input', 'parameters']) as object;
}
