/** Opening custody accounts, moving them between their states, and linking them to accounts at venues. */
import { beforehand, type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { sql } from '../../platform/database/sql.ts';
import { toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText, storableJson } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Prisma } from '../../prisma/custodian/generated/client.ts';
import { EXCHANGE_VENUE, LINK_LIMIT, SEGREGATED_LIMIT } from './accounts.ts';
import type { Context, Tx } from './context.ts';
import type {
  CloseCustodyAccountInput,
  FreezeAccountInput,
  LinkVenueAccountInput,
  OpenCustodyAccountInput,
  UnfreezeAccountInput,
  UnlinkVenueAccountInput,
} from './generated/resolvers.ts';
import { type LockedAccount, lockAccount } from './locks.ts';
import { moveAccount } from './rules/account-lifecycle.ts';
import { accountIdOf, CUSTODIAN_CLIENT_ID, REASON_LENGTH } from './rules/ids.ts';

export type AccountPayload = CommandPayload<{ accountId: string }>;
export type LinkPayload = CommandPayload<{ linkId: string; accountId: string }>;

const CLIENT_LENGTH = 255;
const NAME_LENGTH = 100;
const JURISDICTION = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
const VENUE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Inserts an account, ACTIVE. A segregated one belongs to a master account, whose row is locked to count its siblings. */
export function openCustodyAccount(context: Context, input: OpenCustodyAccountInput): Promise<AccountPayload> {
  return command(context, 'openCustodyAccount', input, async (tx) => {
    const { kind, parentAccountId = null, name = null, jurisdiction = null, metadata } = input;
    const accountId = accountIdOf(input.accountId ?? crypto.randomUUID(), ['input', 'accountId']);
    const clientId = boundedText(input.clientId, CLIENT_LENGTH, ['input', 'clientId']);
    if (clientId === CUSTODIAN_CLIENT_ID) {
      throw refuse.validation(`"${CUSTODIAN_CLIENT_ID}" is the custodian itself.`, ['input', 'clientId']);
    }
    if (jurisdiction !== null && !JURISDICTION.test(jurisdiction)) {
      throw refuse.validation(`"${jurisdiction}" is no jurisdiction. Write for example GB or US-NY.`, [
        'input',
        'jurisdiction',
      ]);
    }
    if ((kind === 'SEGREGATED') !== (parentAccountId !== null)) {
      throw refuse.validation('A SEGREGATED account, and no other, has a parent.', ['input', 'parentAccountId']);
    }
    if (parentAccountId !== null) await checkParent(tx, parentAccountId, clientId);
    const facts = storableJson(metadata ?? {}, ['input', 'metadata']) as Prisma.InputJsonObject;
    const title = name === null ? null : boundedText(name, NAME_LENGTH, ['input', 'name']);
    const { traceId } = context;
    try {
      await tx.account.create({
        data: { accountId, clientId, kind, parentAccountId, name: title, jurisdiction, metadata: facts, traceId },
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw isUniqueViolation(error, 'accounts_master_key')
        ? refuse.conflict(null, 'The client has a master account already.', ['input', 'kind'])
        : refuse.conflict(null, `An account with id "${accountId}" exists already.`, ['input', 'accountId']);
    }
    return { accountId };
  });
}

async function checkParent(tx: Tx, parentAccountId: string, clientId: string): Promise<void> {
  const path = ['input', 'parentAccountId'];
  const parent = await lockAccount(tx, parentAccountId, 'parentAccountId');
  if (parent.kind !== 'MASTER' || parent.clientId !== clientId) {
    throw refuse.validation('The parent must be the MASTER account of the same client.', path);
  }
  if (parent.status !== 'ACTIVE') {
    throw refuse.validation(`The parent is ${parent.status}; it must be ACTIVE.`, path);
  }
  if ((await tx.account.count({ where: { parentAccountId } })) >= SEGREGATED_LIMIT) {
    throw refuse.validation(`The parent has ${SEGREGATED_LIMIT} segregated accounts, as many as it can.`, path);
  }
}

/** Active → frozen. */
export function freezeAccount(context: Context, input: FreezeAccountInput): Promise<AccountPayload> {
  return change(context, 'freezeAccount', input, ({ status }) => ({
    status: moveAccount(status, 'FROZEN'),
    frozenReason: boundedText(input.reason, REASON_LENGTH, ['input', 'reason']),
  }));
}

/** Frozen → active. */
export function unfreezeAccount(context: Context, input: UnfreezeAccountInput): Promise<AccountPayload> {
  return change(context, 'unfreezeAccount', input, ({ status }) => ({
    status: moveAccount(status, 'ACTIVE'),
    frozenReason: null,
  }));
}

/** Active or frozen → closed, when nothing is left in the account. */
export function closeCustodyAccount(context: Context, input: CloseCustodyAccountInput): Promise<AccountPayload> {
  return change(context, 'closeCustodyAccount', input, async (account, tx) => {
    const status = moveAccount(account.status, 'CLOSED');
    await checkNothingIsLeft(tx, account);
    return { status, frozenReason: null };
  });
}

interface AccountInput {
  accountId: string;
  expectedVersion?: number | null | undefined;
  idempotencyKey?: string | null | undefined;
}

type Changes = Pick<Prisma.AccountUncheckedUpdateInput, 'status' | 'frozenReason'>;

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

async function checkNothingIsLeft(tx: Tx, { accountId }: LockedAccount): Promise<void> {
  const path = ['input', 'accountId'];
  const held = await tx.holding.findFirst({ where: { accountId, quantity: { gt: 0 } }, orderBy: { asset: 'asc' } });
  if (held) throw refuse.validation(`The account holds ${toWire(held.quantity)} ${held.asset}.`, path);
  const child = await tx.account.findFirst({ where: { parentAccountId: accountId, status: { not: 'CLOSED' } } });
  if (child) throw refuse.validation(`The segregated account "${child.accountId}" is not closed.`, path);
  const link = await tx.accountLink.findFirst({ where: { custodyAccountId: accountId } });
  if (link) {
    throw refuse.validation(`The account stands for ${link.venueAccountId} at ${link.venueId}. Unlink it first.`, path);
  }
}

const KNOWN_ACCOUNT = /* GraphQL */ `
  query KnownAccount($id: ID!) {
    exchangeAccount(id: $id) { accountId client { clientId } }
  }
`;

/** Lets the custody account stand for an account at a venue; one at this graph's exchange must be there, and the same client's. */
export async function linkVenueAccount(context: Context, input: LinkVenueAccountInput): Promise<LinkPayload> {
  const owner = await beforehand(context.domain, () => ownerAtExchange(context, input));
  return command(context, 'linkVenueAccount', input, async (tx) => {
    const { venueId, venueAccountId } = readVenue(input);
    const { accountId, clientId, status } = await lockAccount(tx, input.accountId);
    if (status === 'CLOSED') throw refuse.validation('The account is CLOSED.', ['input', 'accountId']);
    const clientThere = owner();
    if (clientThere !== null && clientThere !== clientId) {
      const message = `The venue account is ${clientThere}'s, the custody account ${clientId}'s.`;
      throw refuse.validation(message, ['input', 'venueAccountId']);
    }
    if ((await tx.accountLink.count({ where: { custodyAccountId: accountId } })) >= LINK_LIMIT) {
      const message = `The account stands for ${LINK_LIMIT} venue accounts, as many as it can.`;
      throw refuse.validation(message, ['input', 'accountId']);
    }
    const settlesFrom = input.settlesFrom ?? context.now().toISOString();
    const [link] = await tx.$queryRaw<{ linkId: string }[]>(
      sql`insert into account_links (custody_account_id, venue_id, venue_account_id, settles_from, trace_id)
          values (${accountId}, ${venueId}, ${venueAccountId}, ${settlesFrom}::timestamptz, ${context.traceId})
          on conflict (venue_id, venue_account_id) do nothing returning link_id as "linkId"`,
    );
    if (!link) {
      const message = `${venueAccountId} at ${venueId} is linked already.`;
      throw refuse.conflict(null, message, ['input', 'venueAccountId']);
    }
    // Trades that were followed past before it was linked are looked at again.
    await tx.$executeRaw(
      sql`update trade_cursors set followed_to = ${settlesFrom}::timestamptz
           where venue_id = ${venueId} and followed_to > ${settlesFrom}::timestamptz`,
    );
    return { linkId: link.linkId, accountId };
  });
}

/** Ends a link: what was to be settled is, and nothing new comes. */
export function unlinkVenueAccount(context: Context, input: UnlinkVenueAccountInput): Promise<LinkPayload> {
  return command(context, 'unlinkVenueAccount', input, async (tx) => {
    const { venueId, venueAccountId } = readVenue(input);
    const [link] = await tx.$queryRaw<{ linkId: string; accountId: string }[]>(
      sql`delete from account_links where venue_id = ${venueId} and venue_account_id = ${venueAccountId}
          returning link_id as "linkId", custody_account_id as "accountId"`,
    );
    if (!link) throw refuse.notFound('AccountLink', `${venueId}:${venueAccountId}`, ['input', 'venueAccountId']);
    return link;
  });
}

function readVenue(input: { venueId?: string | null | undefined; venueAccountId: string }) {
  const venueId = input.venueId ?? EXCHANGE_VENUE;
  if (!VENUE.test(venueId)) {
    throw refuse.validation(`"${venueId}" is no venue. Write for example exchange-okx.`, ['input', 'venueId']);
  }
  const path = ['input', 'venueAccountId'];
  const text = boundedText(input.venueAccountId, CLIENT_LENGTH, path);
  if (venueId !== EXCHANGE_VENUE) return { venueId, venueAccountId: text };
  if (!isUuid(text))
    throw refuse.validation(`venueAccountId must be a UUID at this exchange, but got "${text}".`, path);
  return { venueId, venueAccountId: text.toLowerCase() };
}

/** The client of an account at this graph's exchange; null at another venue, which nobody here can ask. */
async function ownerAtExchange({ graph }: Context, input: LinkVenueAccountInput): Promise<string | null> {
  const { venueId, venueAccountId } = readVenue(input);
  if (venueId !== EXCHANGE_VENUE) return null;
  const { exchangeAccount } = await graph.request<{ exchangeAccount: { client: { clientId: string } } | null }>(
    KNOWN_ACCOUNT,
    { id: venueAccountId },
  );
  if (!exchangeAccount) throw refuse.notFound('ExchangeAccount', venueAccountId, ['input', 'venueAccountId']);
  return exchangeAccount.client.clientId;
}
