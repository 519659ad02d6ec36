/** Moving strategies between their states. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { join, type Sql, sql } from '../../platform/database/sql.ts';
import { boundedText } from '../../platform/texts.ts';
import type { Context, Tx } from './context.ts';
import { lockStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { cancelLocked } from './routing/cancelling.ts';
import { moveStrategy, type StrategyVerb } from './rules/strategy-lifecycle.ts';
import { NOTE_LENGTH } from './rules/texts.ts';
import type { StrategyPayload } from './strategy-commands.ts';

export type HaltPayload = CommandPayload<{ strategyId: string; cancelledOrderCount: number }>;

interface StrategyInput {
  strategyId: string;
  idempotencyKey?: string | null | undefined;
}

interface HaltInput extends StrategyInput {
  cancelOrders?: boolean;
}

/** Inactive → active. */
export function startStrategy(context: Context, input: StrategyInput): Promise<StrategyPayload> {
  return command(context, 'startStrategy', input, (tx) =>
    move(context, tx, input.strategyId, 'start', [sql`started_at = now()`, sql`stopped_at = null`]),
  );
}

/** Paused → active. */
export function resumeStrategy(context: Context, input: StrategyInput): Promise<StrategyPayload> {
  return command(context, 'resumeStrategy', input, (tx) => move(context, tx, input.strategyId, 'resume'));
}

/** Stopped or error → inactive. */
export function resetStrategy(context: Context, input: StrategyInput): Promise<StrategyPayload> {
  return command(context, 'resetStrategy', input, (tx) =>
    move(context, tx, input.strategyId, 'reset', [sql`error_message = null`]),
  );
}

/** Active → paused. */
export function pauseStrategy(context: Context, input: HaltInput): Promise<HaltPayload> {
  return command(context, 'pauseStrategy', input, (tx) => halt(context, tx, input, 'pause'));
}

/** Active, paused or error → stopped. */
export function stopStrategy(context: Context, input: HaltInput): Promise<HaltPayload> {
  return command(context, 'stopStrategy', input, (tx) => halt(context, tx, input, 'stop', [sql`stopped_at = now()`]));
}

/** Active or paused → error. */
export function failStrategy(context: Context, input: HaltInput & { reason: string }): Promise<HaltPayload> {
  return command(context, 'failStrategy', input, async (tx) => {
    const reason = boundedText(input.reason, NOTE_LENGTH, ['input', 'reason']);
    return halt(context, tx, input, 'fail', [sql`error_message = ${reason}`]);
  });
}

async function move(
  context: Context,
  tx: Tx,
  strategyId: string,
  verb: StrategyVerb,
  also: readonly Sql[] = [],
): Promise<{ strategyId: string }> {
  const strategy = await lockStrategy(tx, strategyId);
  const status = moveStrategy(strategy.status, verb);
  const assignments = [sql`status = ${status}`, sql`trace_id = ${context.traceId}`, ...also];
  await tx.$executeRaw(sql`update strategies set ${join(assignments)} where strategy_id = ${strategyId}`);
  return { strategyId };
}

/** A move that leaves trading; the strategy's active orders are cancelled with it unless the caller keeps them. */
async function halt(
  context: Context,
  tx: Tx,
  { strategyId, cancelOrders = true }: HaltInput,
  verb: StrategyVerb,
  also: readonly Sql[] = [],
) {
  const moved = await move(context, tx, strategyId, verb, also);
  if (!cancelOrders) return { ...moved, cancelledOrderCount: 0 };
  const orders = await tx.$queryRaw<{ orderId: string }[]>(
    sql`select order_id as "orderId" from orders where strategy_id = ${strategyId} and ${isActiveOrder}
         order by order_id for no key update`,
  );
  await cancelLocked(
    tx,
    orders.map(({ orderId }) => orderId),
    { traceId: context.traceId, reason: `cancelled by ${verb}Strategy` },
  );
  return { ...moved, cancelledOrderCount: orders.length };
}
