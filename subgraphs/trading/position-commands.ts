/** Closing positions. What trades do to them is in fills.ts. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { isStorable } from '../../platform/texts.ts';
import { referencePriceOf } from './analytics/reference-price.ts';
import type { Context, Tx } from './context.ts';
import type { ClosePositionInput } from './generated/resolvers.ts';
import { lockStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { placeOrderWithin } from './placing.ts';
import { positions } from './positions.ts';
import { askRisk } from './risk-check.ts';
import type { Side } from './rules/order-entry.ts';

export type ClosePayload = CommandPayload<{ positionId: string; orderId: string }>;

interface OpenPosition {
  positionId: string;
  strategyId: string;
  instrumentId: string;
  quantity: Decimal;
  isClosed: boolean;
}

/**
 * Places a market order that flattens the position; its fill closes it. While the strategy's lock is held no other order
 * of it comes or goes, so of two closings at once the second meets the first one's order and is refused. Risk is asked as
 * of any order; it lets reductions pass.
 */
export async function closePosition(context: Context, input: ClosePositionInput): Promise<ClosePayload> {
  const known = await context.load(positions, input.positionId);
  const [referencePrice, checkRisk] = await Promise.all([
    known && referencePriceOf(context, known.instrumentId),
    askRisk(context, known?.closedAt === null ? closingOrderOf(known) : null),
  ]);
  const payload = await command(context, 'closePosition', input, async (tx) => {
    const { strategyId } = await findPosition(tx, input.positionId);
    await lockStrategy(tx, strategyId);
    const position = await findPosition(tx, input.positionId);
    if (position.isClosed) throw refuse.invalidTransition('CLOSED', 'CLOSED', [], ['input', 'positionId']);
    checkRisk();
    await checkNothingElseCloses(tx, position, position.quantity.isPositive() ? 'sell' : 'buy');
    const order = {
      ...closingOrderOf(position),
      orderId: input.orderId,
      type: 'MARKET' as const,
      timeInForce: 'GTC' as const,
      execution: input.execution ?? ('ROUTED' as const),
      venue: input.venue,
    };
    const { orderId } = await placeOrderWithin(context, tx, order, { referencePrice, isClosing: true });
    return { positionId: position.positionId, orderId };
  });
  context.service.router.wake();
  return payload;
}

function closingOrderOf(position: { strategyId: string; instrumentId: string; quantity: Decimal | string }) {
  const quantity = dec(position.quantity);
  return {
    strategyId: position.strategyId,
    symbol: position.instrumentId,
    side: quantity.isPositive() ? ('SELL' as const) : ('BUY' as const),
    quantity: quantity.abs().toFixed(),
  };
}

async function findPosition(tx: Tx, positionId: string): Promise<OpenPosition> {
  const rows = isStorable(positionId)
    ? await tx.$queryRaw<OpenPosition[]>(
        sql`select position_id as "positionId", strategy_id as "strategyId", instrument_id as "instrumentId", quantity,
                   closed_at is not null as "isClosed"
              from all_positions where position_id = ${positionId}`,
      )
    : [];
  if (!rows[0]) throw refuse.notFound('TradingPosition', positionId, ['input', 'positionId']);
  return rows[0];
}

/** Another order of the closing side that is filled as well would turn the position round. */
async function checkNothingElseCloses(tx: Tx, position: OpenPosition, side: Side): Promise<void> {
  const [other] = await tx.$queryRaw<{ orderId: string }[]>(
    sql`select order_id as "orderId" from orders
         where strategy_id = ${position.strategyId} and instrument_id = ${position.instrumentId} and side = ${side}
           and ${isActiveOrder} order by order_id limit 1`,
  );
  if (!other) return;
  throw refuse.conflict(
    null,
    `The order "${other.orderId}" would turn the position round once it is closed. Cancel it first, or let it be filled.`,
    ['input', 'positionId'],
  );
}
