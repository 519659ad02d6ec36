/** Configuration: what is stored of it and how it is read. */
import { identifier, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { stored } from '../../platform/enums.ts';
import { equals, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import type { Context } from './context.ts';
import type { ConfigFilter } from './generated/resolvers.ts';
import type { ConfigType } from './rules/config-value.ts';
import { configKey, EVERY_SERVICE, scopeOf, serviceName } from './rules/names.ts';

/** A row of `config_entries`. */
export interface ConfigEntryRow {
  entryId: string;
  key: string;
  /** Name of a service, or EVERY_SERVICE. */
  scope: string;
  valueType: Lowercase<ConfigType>;
  value: string;
  description: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ConfigEntryPage = Connection<ConfigEntryRow>;

export const configEntries = entity<ConfigEntryRow>({
  name: 'ConfigEntry',
  table: 'config_entries',
  key: 'entry_id',
  keyType: 'uuid',
});

export const configList = connectionSource<ConfigEntryRow>({
  table: 'config_entries',
  id: 'entry_id',
  sorts: { KEY: 'key', UPDATED_AT: 'updated_at' },
});

/** The conditions of a filter. Throws a validation Refusal on a name that is none of a service. */
export function configConditions(filter: ConfigFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { keyPrefix, service, isGlobal, type } = filter;
  return [
    ...(keyPrefix ? [startsWith('key', keyPrefix)] : []),
    ...equals('scope', service && serviceName(service, ['filter', 'service'])),
    ...(isGlobal === null || isGlobal === undefined ? [] : [sql`(scope = ${EVERY_SERVICE}) = ${isGlobal}`]),
    ...equals('value_type', type && stored(type)),
    ...within('updated_at', filter),
  ];
}

function startsWith(column: string, prefix: string): Sql {
  return isStorable(prefix) ? sql`starts_with(${identifier(column)}, ${prefix})` : raw('false');
}

/** What the service is set to: its own entry, else the one for every service. Keys asked for in one tick cost one statement. */
export function configOf(
  context: Context,
  keyText: string,
  service: string | null | undefined,
): Promise<ConfigEntryRow | null> {
  const key = configKey(keyText, ['key']);
  const scope = scopeOf(service, ['service']);
  return context.batch('config', { key, scope }, async (wanted) => {
    const rows = await context.db.query<ConfigEntryRow>(
      sql`select * from config_entries
           where key = any(${wanted.map((one) => one.key)}::text[])
             and scope = any(${[...wanted.map((one) => one.scope), EVERY_SERVICE]}::text[])`,
    );
    const byPlace = new Map(rows.map((row) => [placeOf(row), row]));
    return wanted.map(
      (one) => byPlace.get(placeOf(one)) ?? byPlace.get(placeOf({ ...one, scope: EVERY_SERVICE })) ?? null,
    );
  });
}

function placeOf({ key, scope }: { key: string; scope: string }): string {
  return `${key} ${scope}`; // neither holds a blank
}
