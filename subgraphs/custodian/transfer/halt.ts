/** The emergency halt of all transfers. Whoever moves one on shares the lock of one row; a halt waits for them. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { entity } from '../../../platform/loaders.ts';
import { boundedText } from '../../../platform/texts.ts';
import type { Context, Tx } from '../context.ts';
import type { HaltTransfersInput, ResumeTransfersInput } from '../generated/resolvers.ts';
import { PERSON_LENGTH, REASON_LENGTH } from '../rules/ids.ts';

/** The row of `transfer_halts`. */
export interface HaltRow {
  haltId: string;
  status: 'RUNNING' | 'HALTED';
  reason: string | null;
  actor: string | null;
  traceId: string | null;
  updatedAt: string;
  version: number;
}

export type HaltPayload = CommandPayload<{ haltId: string }>;

export const HALT_ID = 'transfers';

export const halts = entity<HaltRow>({
  name: 'TransferHalt',
  table: 'transfer_halts',
  key: 'halt_id',
  keyType: 'text',
});

/** Whether transfers are halted; until the transaction ends nobody halts them. */
export async function isHalted(tx: Tx): Promise<boolean> {
  const [halt] = await tx.$queryRaw<{ status: string }[]>(sql`select status from transfer_halts for share`);
  return halt?.status === 'HALTED';
}

/** @throws Refusal (validation) while transfers are halted */
export async function checkNotHalted(tx: Tx): Promise<void> {
  if (await isHalted(tx)) throw refuse.validation('Transfers are halted. Nothing moves until they are resumed.');
}

export function haltTransfers(context: Context, input: HaltTransfersInput): Promise<HaltPayload> {
  return set(context, 'haltTransfers', 'HALTED', input, boundedText(input.reason, REASON_LENGTH, ['input', 'reason']));
}

export function resumeTransfers(context: Context, input: ResumeTransfersInput): Promise<HaltPayload> {
  return set(context, 'resumeTransfers', 'RUNNING', input, null);
}

function set(
  context: Context,
  operation: string,
  status: HaltRow['status'],
  input: ResumeTransfersInput,
  reason: string | null,
): Promise<HaltPayload> {
  return command(context, operation, input, async (tx) => {
    const actor = boundedText(input.actor, PERSON_LENGTH, ['input', 'actor']);
    const [halt] = await tx.$queryRaw<{ status: HaltRow['status'] }[]>(
      sql`select status from transfer_halts for no key update`,
    );
    if (halt?.status === status) throw refuse.invalidTransition(status, status, [other(status)]);
    await tx.transferHalt.update({
      where: { haltId: HALT_ID },
      data: { status, reason, actor, traceId: context.traceId },
    });
    return { haltId: HALT_ID };
  });
}

function other(status: HaltRow['status']): HaltRow['status'] {
  return status === 'HALTED' ? 'RUNNING' : 'HALTED';
}
