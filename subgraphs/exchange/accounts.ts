/** Accounts and their clients: what is stored of them and how they are read. */
import { raw, type Sql, sql } from '../../platform/database/sql.ts';
import { equals, equalsUuid, within } from '../../platform/filters.ts';
import { childList, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { Context } from './context.ts';
import type { ExchangeAccountFilter, ExchangeAccountType } from './generated/resolvers.ts';
import type { AccountStatus, KycStatus } from './rules/account-lifecycle.ts';

/** A row of `accounts`. */
export interface ExchangeAccountRow {
  accountId: string;
  userId: string;
  accountType: ExchangeAccountType;
  parentAccountId: string | null;
  subAccountName: string;
  status: AccountStatus;
  kycStatus: KycStatus;
  metadata: Record<string, unknown>;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ExchangeAccountPage = Connection<ExchangeAccountRow>;

/** A client is not stored; the id that accounts carry is all that identifies one. */
export interface ClientReference {
  clientId: string;
}

/** Sub-accounts of a master account at most. */
export const SUB_ACCOUNT_LIMIT = 100;

export const accounts = entity<ExchangeAccountRow>({
  name: 'ExchangeAccount',
  table: 'accounts',
  key: 'account_id',
  keyType: 'uuid',
});

export const accountList = connectionSource<ExchangeAccountRow>({
  table: 'accounts',
  id: 'account_id',
  sorts: { CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', CLIENT_ID: 'user_id' },
});

export const subAccounts = childList<ExchangeAccountRow>({
  name: 'ExchangeAccount.subAccounts',
  table: 'accounts',
  parent: 'parent_account_id',
  keyType: 'uuid',
  orderBy: 'sub_account_name',
  limit: SUB_ACCOUNT_LIMIT,
});

export const clientAccounts = childList<ExchangeAccountRow>({
  name: 'Client.accounts',
  table: 'accounts',
  parent: 'user_id',
  keyType: 'text',
  orderBy: 'created_at',
  limit: 500,
});

const isClients: Sql = raw(`account_type not in ('HOUSE', 'EXTERNAL')`);

/** The conditions of a filter. The exchange's own accounts are left out unless their type is asked for. */
export function accountConditions(filter: ExchangeAccountFilter | null | undefined): Sql[] {
  if (!filter) return [isClients];
  const { isSubAccount = null } = filter;
  return [
    ...(filter.type ? equals('account_type', filter.type) : [isClients]),
    ...equals('user_id', filter.clientId),
    ...equals('status', filter.status),
    ...equals('kyc_status', filter.kycStatus),
    ...equalsUuid('parent_account_id', filter.parentAccountId),
    ...(isSubAccount === null ? [] : [sql`(parent_account_id is not null) = ${isSubAccount}`]),
    ...within('created_at', filter),
  ];
}

/** The client of that id, or null when no account is theirs. */
export async function clientOf(context: Context, clientId: string): Promise<ClientReference | null> {
  const accountsOfClient = await context.list(clientAccounts, clientId);
  return accountsOfClient.length > 0 ? { clientId } : null;
}
