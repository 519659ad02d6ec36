/** Assets: what is stored of them and how they are read. */

import type { Sql } from '../../platform/database/sql.ts';
import { equals, isOneOf } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { storedKind } from './enums.ts';
import { limited } from './filters.ts';
import type { AssetFilter, AssetKind } from './generated/resolvers.ts';

/** A row of `assets`. */
export interface AssetRow {
  code: string;
  name: string | null;
  kind: Lowercase<AssetKind> | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export type AssetPage = Connection<AssetRow>;

export const assets = entity<AssetRow>({ name: 'Asset', table: 'assets', key: 'code', keyType: 'text' });

export const assetList = connectionSource<AssetRow>({ table: 'assets', id: 'code', sorts: { CODE: 'code' } });

/** The conditions of a filter. */
export function assetConditions(filter: AssetFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const codes = filter.codes && limited(filter.codes, ['filter', 'codes']);
  return [
    ...isOneOf(
      'code',
      codes?.map((code) => code.toUpperCase()),
    ),
    ...equals('kind', filter.kind && storedKind(filter.kind)),
  ];
}
