/** Deciding on executions that are quarantined. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import type { Decimal } from '../../../platform/decimal.ts';
import { shown } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import { bookFill, planFill } from '../fills.ts';
import type { Liquidity, ResolveQuarantinedFillInput } from '../generated/resolvers.ts';
import { lockOrder, lockStrategyOfOrder } from '../locks.ts';
import type { Side } from '../rules/order-entry.ts';
import { applyLateFill } from '../rules/order-fill.ts';
import { NOTE_LENGTH } from '../rules/texts.ts';
import { foreignness, type QuarantineStatus } from './quarantine.ts';

export type ResolutionPayload = CommandPayload<{ quarantinedFillId: string; tradeId: string | null }>;

interface HeldFill {
  quarantinedFillId: string;
  orderId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  quantity: Decimal;
  price: Decimal;
  commission: Decimal;
  venue: string;
  exchangeTradeId: string;
  liquidity: Lowercase<Liquidity> | null;
  /** RFC 3339 in UTC with six fractional digits. */
  executedAt: string;
  status: QuarantineStatus;
}

/** Brings the execution into the books, or leaves it out of them for good. */
export function resolveQuarantinedFill(
  context: Context,
  input: ResolveQuarantinedFillInput,
): Promise<ResolutionPayload> {
  return command(context, 'resolveQuarantinedFill', input, async (tx) => {
    const note = noteGiven(input);
    const orderId = await orderOf(tx, input.quarantinedFillId);
    const strategy = await lockStrategyOfOrder(tx, orderId);
    const order = await lockOrder(tx, orderId);
    const held = await lockHeld(tx, input.quarantinedFillId);
    const status = input.decision === 'ACCEPT' ? 'accepted' : 'dismissed';
    if (held.status !== 'open') throw refuse.invalidTransition(shown(held.status), shown(status), [], PATH);
    let tradeId: string | null = null;
    if (status === 'accepted') {
      const foreign = foreignness(order, held);
      if (foreign !== null) throw refuse.validation(`It cannot be brought into the books. ${foreign}`, PATH);
      const execution = { ...held, notes: note };
      const basis = { traceId: context.traceId, strategy, order, execution };
      ({ tradeId } = await bookFill(tx, await planFill(tx, basis, applyLateFill)));
    }
    await tx.$executeRaw(
      sql`update quarantined_fills set status = ${status}, resolution_note = ${note}, resolved_at = clock_timestamp(),
                 trace_id = ${context.traceId}
           where quarantined_fill_id = ${held.quarantinedFillId}::uuid`,
    );
    return { quarantinedFillId: held.quarantinedFillId, tradeId };
  });
}

const PATH = ['input', 'quarantinedFillId'];

function noteGiven({ decision, note = null }: ResolveQuarantinedFillInput): string | null {
  if (note !== null) return boundedText(note, NOTE_LENGTH, ['input', 'note']);
  if (decision === 'DISMISS') throw refuse.validation('To DISMISS an execution needs a note.', ['input', 'note']);
  return null;
}

async function orderOf(tx: Tx, id: string): Promise<string> {
  const rows = isUuid(id)
    ? await tx.$queryRaw<{ orderId: string }[]>(
        sql`select order_id as "orderId" from quarantined_fills where quarantined_fill_id = ${id}::uuid`,
      )
    : [];
  if (!rows[0]) throw refuse.notFound('QuarantinedFill', id, PATH);
  return rows[0].orderId;
}

async function lockHeld(tx: Tx, id: string): Promise<HeldFill> {
  const [held] = await tx.$queryRaw<HeldFill[]>(
    sql`select quarantined_fill_id as "quarantinedFillId", order_id as "orderId", account_id as "accountId",
               instrument_id as "instrumentId", side, quantity, price, commission, execution_venue as venue,
               exchange_trade_id as "exchangeTradeId", liquidity, status,
               to_char(executed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "executedAt"
          from quarantined_fills where quarantined_fill_id = ${id}::uuid for no key update`,
  );
  if (!held) throw new Error(`Quarantined fill ${id} was deleted`);
  return held;
}
