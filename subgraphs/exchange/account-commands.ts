/** Opening accounts and moving them between their states. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { sql } from '../../platform/database/sql.ts';
import { toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText, storableJson } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Prisma } from '../../prisma/exchange/generated/client.ts';
import { SUB_ACCOUNT_LIMIT } from './accounts.ts';
import type { Context, Tx } from './context.ts';
import type {
  CloseAccountInput,
  CreateExchangeAccountInput,
  CreateSubAccountInput,
  ReactivateAccountInput,
  SetKycStatusInput,
  SuspendAccountInput,
  UpdateAccountProfileInput,
} from './generated/resolvers.ts';
import { type LockedAccount, lockAccount } from './locks.ts';
import { isLiveOrder } from './orders.ts';
import { moveAccount, moveKyc } from './rules/account-lifecycle.ts';
import { ID_LENGTH, NAME_LENGTH } from './rules/texts.ts';

type Optional<Value> = Value | null | undefined;

export type AccountPayload = CommandPayload<{ accountId: string }>;

/** The client id of the exchange's own accounts. */
const RESERVED_CLIENT_ID = 'exchange';

/** Inserts a master account, active. */
export function createExchangeAccount(context: Context, input: CreateExchangeAccountInput): Promise<AccountPayload> {
  return command(context, 'createExchangeAccount', input, (tx) => {
    const accountType = input.type ?? 'SPOT';
    const userId = boundedText(input.clientId, ID_LENGTH, ['input', 'clientId']);
    if (userId === RESERVED_CLIENT_ID) {
      throw refuse.validation(`"${RESERVED_CLIENT_ID}" is the exchange itself.`, ['input', 'clientId']);
    }
    if (accountType === 'HOUSE' || accountType === 'EXTERNAL') {
      throw refuse.validation(`An ${accountType} account cannot be created.`, ['input', 'type']);
    }
    return insert(tx, input, { userId, accountType, traceId: context.traceId }, 'clientId');
  });
}

/** Inserts a sub-account of a master account, whose row is locked, so that the siblings can be counted. */
export function createSubAccount(context: Context, input: CreateSubAccountInput): Promise<AccountPayload> {
  return command(context, 'createSubAccount', input, async (tx) => {
    const path = ['input', 'parentAccountId'];
    const subAccountName = boundedText(input.name, NAME_LENGTH, ['input', 'name']);
    const parent = await lockAccount(tx, input.parentAccountId, 'parentAccountId');
    if (parent.parentAccountId !== null) throw refuse.validation('A sub-account has no sub-accounts.', path);
    if (parent.status !== 'ACTIVE') {
      throw refuse.validation(`The master account is ${parent.status}; it must be ACTIVE.`, path);
    }
    const siblings = await tx.account.count({ where: { parentAccountId: parent.accountId } });
    if (siblings >= SUB_ACCOUNT_LIMIT) {
      throw refuse.validation(`The master account has ${SUB_ACCOUNT_LIMIT} sub-accounts, as many as it can.`, path);
    }
    const { accountId: parentAccountId, userId, accountType, kycStatus } = parent;
    const row = { userId, accountType, parentAccountId, subAccountName, kycStatus, traceId: context.traceId };
    return insert(tx, input, row, 'name');
  });
}

async function insert(
  tx: Tx,
  { accountId: id, metadata }: { accountId?: Optional<string>; metadata?: Optional<Record<string, unknown>> },
  row: Omit<Prisma.AccountUncheckedCreateInput, 'accountId' | 'metadata'>,
  nameField: string,
): Promise<{ accountId: string }> {
  const accountId = id?.toLowerCase() ?? crypto.randomUUID();
  if (!isUuid(accountId)) {
    throw refuse.validation(`accountId must be a UUID, but got "${id}".`, ['input', 'accountId']);
  }
  const facts = storableJson(metadata ?? {}, ['input', 'metadata']) as Prisma.InputJsonObject;
  try {
    await tx.account.create({ data: { ...row, accountId, metadata: facts } });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw isUniqueViolation(error, 'accounts_name_key')
      ? refuse.conflict(null, 'The client has an account of that type and name already.', ['input', nameField])
      : refuse.conflict(null, `An account with id "${accountId}" exists already.`, ['input', 'accountId']);
  }
  return { accountId };
}

/** Replaces the free facts of an account. */
export function updateAccountProfile(context: Context, input: UpdateAccountProfileInput): Promise<AccountPayload> {
  return change(context, 'updateAccountProfile', input, () => ({
    metadata: storableJson(input.metadata, ['input', 'metadata']) as Prisma.InputJsonObject,
  }));
}

/** Active → suspended. */
export function suspendAccount(context: Context, input: SuspendAccountInput): Promise<AccountPayload> {
  return change(context, 'suspendAccount', input, ({ status }) => ({ status: moveAccount(status, 'SUSPENDED') }));
}

/** Suspended → active. */
export function reactivateAccount(context: Context, input: ReactivateAccountInput): Promise<AccountPayload> {
  return change(context, 'reactivateAccount', input, ({ status }) => ({ status: moveAccount(status, 'ACTIVE') }));
}

/** Active or suspended → closed, when nothing is left on the account. */
export function closeAccount(context: Context, input: CloseAccountInput): Promise<AccountPayload> {
  return change(context, 'closeAccount', input, async (account, tx) => {
    const status = moveAccount(account.status, 'CLOSED');
    await checkNothingIsLeft(tx, account);
    return { status };
  });
}

/** One step of the identification. */
export function setKycStatus(context: Context, input: SetKycStatusInput): Promise<AccountPayload> {
  return change(context, 'setKycStatus', input, (account) => moveKyc(account, input.status));
}

interface AccountInput {
  accountId: string;
  expectedVersion?: Optional<number>;
  idempotencyKey?: Optional<string>;
}

type Changes = Pick<Prisma.AccountUncheckedUpdateInput, 'status' | 'kycStatus' | 'metadata'>;

function change(
  context: Context,
  operation: string,
  input: AccountInput,
  changes: (account: LockedAccount, tx: Tx) => Changes | Promise<Changes>,
): Promise<AccountPayload> {
  return command(context, operation, input, async (tx) => {
    const account = await lockAccount(tx, input.accountId, 'accountId', input.expectedVersion ?? null);
    const { accountId } = account;
    const data = { ...(await changes(account, tx)), traceId: context.traceId };
    await tx.account.update({ where: { accountId }, data });
    return { accountId };
  });
}

/**
 * The account is locked, so it places nothing and nothing is paid in. Its last order may be filled while this looks: the
 * order is looked at first, since the fill that ends it also moves the balances.
 */
async function checkNothingIsLeft(tx: Tx, { accountId }: LockedAccount): Promise<void> {
  const path = ['input', 'accountId'];
  const [live] = await tx.$queryRaw<unknown[]>(
    sql`select from orders where account_id = ${accountId}::uuid and ${isLiveOrder} limit 1`,
  );
  if (live) throw refuse.validation('The account has live orders. Cancel them first.', path);
  const held = await tx.balance.findFirst({
    where: { accountId, totalBalance: { gt: 0 } },
    orderBy: { symbol: 'asc' },
  });
  if (held) {
    const message = `The account holds ${toWire(held.totalBalance)} ${held.symbol}. Withdraw it first.`;
    throw refuse.validation(message, path);
  }
  const subAccount = await tx.account.findFirst({ where: { parentAccountId: accountId, status: { not: 'CLOSED' } } });
  if (subAccount) {
    throw refuse.validation(`The sub-account "${subAccount.subAccountName}" is not closed.`, path);
  }
}
