/** Custody accounts and the venue accounts they stand for: what is stored of them and how they are read. */
import type { Sql } from '../../platform/database/sql.ts';
import { equals, within } from '../../platform/filters.ts';
import { childList, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { CustodyAccountFilter } from './generated/resolvers.ts';
import type { AccountKind, AccountStatus } from './rules/account-lifecycle.ts';

/** A row of `accounts`. */
export interface CustodyAccountRow {
  accountId: string;
  clientId: string;
  kind: AccountKind;
  parentAccountId: string | null;
  name: string | null;
  status: AccountStatus;
  frozenReason: string | null;
  jurisdiction: string | null;
  metadata: Record<string, unknown>;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `account_links`. */
export interface AccountLinkRow {
  linkId: string;
  custodyAccountId: string;
  venueId: string;
  venueAccountId: string;
  settlesFrom: string;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type CustodyAccountPage = Connection<CustodyAccountRow>;

/** Segregated accounts of a master account at most. */
export const SEGREGATED_LIMIT = 500;
/** Venue accounts that one custody account stands for at most. */
export const LINK_LIMIT = 100;

/** The exchange of this graph, as a venue. */
export const EXCHANGE_VENUE = 'exchange';

export const accounts = entity<CustodyAccountRow>({
  name: 'CustodyAccount',
  table: 'accounts',
  key: 'account_id',
  keyType: 'text',
});

export const accountList = connectionSource<CustodyAccountRow>({
  table: 'accounts',
  id: 'account_id',
  sorts: { CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', CLIENT_ID: 'client_id' },
});

export const segregatedAccounts = childList<CustodyAccountRow>({
  name: 'CustodyAccount.segregated',
  table: 'accounts',
  parent: 'parent_account_id',
  keyType: 'text',
  orderBy: 'account_id',
  limit: SEGREGATED_LIMIT,
});

export const clientAccounts = childList<CustodyAccountRow>({
  name: 'Client.custodyAccounts',
  table: 'accounts',
  parent: 'client_id',
  keyType: 'text',
  orderBy: 'created_at',
  limit: SEGREGATED_LIMIT,
});

export const accountLinks = entity<AccountLinkRow>({
  name: 'AccountLink',
  table: 'account_links',
  key: 'link_id',
  keyType: 'uuid',
});

export const linksOfAccount = childList<AccountLinkRow>({
  name: 'CustodyAccount.links',
  table: 'account_links',
  parent: 'custody_account_id',
  keyType: 'text',
  orderBy: 'venue_account_id',
  limit: LINK_LIMIT,
});

/** Links of an account at whatever venue; an exchange account has one. */
export const linksOfVenueAccount = childList<AccountLinkRow>({
  name: 'ExchangeAccount.custodyAccounts',
  table: 'account_links',
  parent: 'venue_account_id',
  keyType: 'text',
  orderBy: 'venue_id',
  limit: LINK_LIMIT,
});

export function accountConditions(filter: CustodyAccountFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('client_id', filter.clientId),
    ...equals('kind', filter.kind),
    ...equals('status', filter.status),
    ...equals('parent_account_id', filter.parentAccountId),
    ...within('created_at', filter),
  ];
}
