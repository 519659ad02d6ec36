/** Setting and removing configuration. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { shown, stored } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import { checkVersion } from '../../platform/versions.ts';
import type { Context, Tx } from './context.ts';
import type { DeleteConfigInput, SetConfigInput } from './generated/resolvers.ts';
import { type ConfigType, configValue } from './rules/config-value.ts';
import { configKey, EVERY_SERVICE, scopeOf } from './rules/names.ts';

export type ConfigPayload = CommandPayload<{ entryId: string }>;

const DESCRIPTION_LENGTH = 2_000;

/** Inserts or replaces the entry of a key in its scope. The value is checked against the type, the type against the key's. */
export function setConfig(context: Context, input: SetConfigInput): Promise<ConfigPayload> {
  return command(context, 'setConfig', input, async (tx) => {
    const key = configKey(input.key, ['input', 'key']);
    const scope = scopeOf(input.service, ['input', 'service']);
    const value = configValue(input.type, input.value);
    const description = descriptionOf(input);
    const { own, types } = await lockKey(tx, key, scope);
    checkVersion(own?.version ?? 0, input.expectedVersion, 'There is no such entry any more, or not yet.');
    if (types.some((type) => type !== input.type)) {
      const message = `"${key}" is ${types[0]}, and a key has one type. Delete its entries to make it ${input.type}.`;
      throw refuse.validation(message, ['input', 'type']);
    }
    const content = { value, traceId: context.traceId, ...(description !== undefined && { description }) };
    if (own) {
      await tx.configEntry.update({ where: { entryId: own.entryId }, data: content });
      return { entryId: own.entryId };
    }
    const { entryId } = await tx.configEntry.create({
      data: { key, scope, valueType: stored(input.type), ...content },
      select: { entryId: true },
    });
    return { entryId };
  });
}

/** Deletes the entry of a key in its scope. Throws a not-found Refusal when there is none. */
export function deleteConfig(context: Context, input: DeleteConfigInput): Promise<ConfigPayload> {
  return command(context, 'deleteConfig', input, async (tx) => {
    const key = configKey(input.key, ['input', 'key']);
    const scope = scopeOf(input.service, ['input', 'service']);
    const { own } = await lockKey(tx, key, scope);
    const name = scope === EVERY_SERVICE ? key : `${key} of ${scope}`;
    if (!own) throw refuse.notFound('ConfigEntry', name, ['input', 'key']);
    checkVersion(own.version, input.expectedVersion, 'There is no such entry any more, or not yet.');
    await tx.configEntry.delete({ where: { entryId: own.entryId } });
    return { entryId: own.entryId };
  });
}

interface LockedKey {
  /** The entry in the scope that was asked for. */
  own: { entryId: string; version: number } | undefined;
  /** Types of the entries of the key, in whatever scope; all equal. */
  types: ConfigType[];
}

/** Holds every other writer of the key back until the transaction ends, also while there is no row of it. */
async function lockKey(tx: Tx, key: string, scope: string): Promise<LockedKey> {
  await tx.$executeRaw(sql`select pg_advisory_xact_lock(hashtext('config'), hashtext(${key}))`);
  const rows = await tx.configEntry.findMany({
    where: { key },
    select: { entryId: true, scope: true, valueType: true, version: true },
  });
  const types = rows.map(({ valueType }) => shown(valueType as Lowercase<ConfigType>));
  return { own: rows.find((row) => row.scope === scope), types };
}

/** @param version of what is there; 0 when nothing is */
function descriptionOf({ description }: SetConfigInput): string | null | undefined {
  if (description === null || description === undefined) return description;
  return boundedText(description, DESCRIPTION_LENGTH, ['input', 'description']);
}
