/** Saying what an asset is. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { refuse } from '../../platform/errors.ts';
import type { Context, Tx } from './context.ts';
import { storedKind } from './enums.ts';
import type { DefineAssetInput } from './generated/resolvers.ts';
import { nameFault } from './rules/instrument-terms.ts';

export type AssetPayload = CommandPayload<{ code: string }>;

const CODE = /^[A-Z0-9]{2,12}$/;

/** Creates the asset where it is new; sets what the input names. */
export function defineAsset(context: Context, input: DefineAssetInput): Promise<AssetPayload> {
  return command(context, 'defineAsset', input, async (tx) => {
    const code = input.code.toUpperCase();
    if (!CODE.test(code)) {
      const message = `code must be 2 to 12 letters and digits, for example BTC, but got "${input.code}".`;
      throw refuse.validation(message, ['input', 'code']);
    }
    const fault = nameFault('name', input.name);
    if (fault) throw refuse.validation(fault.message, ['input', fault.field]);
    await createAssets(tx, [code], context.traceId);
    const changes = {
      ...(input.name !== undefined && { name: input.name }),
      ...(input.kind !== undefined && { kind: input.kind && storedKind(input.kind) }),
    };
    if (Object.keys(changes).length > 0) {
      await tx.asset.update({ where: { code }, data: { ...changes, traceId: context.traceId } });
    }
    return { code };
  });
}

/** Creates those of the assets that are new. In one order, so that two writers never deadlock. */
export async function createAssets(tx: Tx, codes: readonly string[], traceId: string): Promise<void> {
  await tx.asset.createMany({ data: codes.toSorted().map((code) => ({ code, traceId })), skipDuplicates: true });
}
