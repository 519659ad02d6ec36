/** What is looked at before a transfer is taken, and the list of those with whom nothing may be exchanged. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { isUniqueViolation } from '../../../platform/database/database-error.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import type { Context, Tx } from '../context.ts';
import type { LiftSanctionInput, SanctionPartyInput } from '../generated/resolvers.ts';
import type { LockedAccount } from '../locks.ts';
import { amlFinding, concentrationFinding, type Finding, kycFinding } from '../rules/compliance.ts';
import { CUSTODIAN_CLIENT_ID, PERSON_LENGTH, REASON_LENGTH } from '../rules/ids.ts';
import { settings } from '../settings.ts';
import type { ComplianceFacts } from './compliance-facts.ts';

/** A row of `sanctioned_parties`. */
export interface SanctionedPartyRow {
  partyId: string;
  reason: string;
  actor: string;
  createdAt: string;
}

export type SanctionPayload = CommandPayload<{ partyId: string }>;

/** From this share of the limit on, somebody should look. */
const REVIEW_SHARE = dec('0.8');

export interface TransferInMind {
  from: LockedAccount;
  to: LockedAccount;
  asset: string;
  usdValue: Decimal;
  since: Date;
  facts: ComplianceFacts;
}

/** Looks at a transfer before anything is set aside for it. One FAIL is enough to reject it. */
export async function checkTransfer(tx: Tx, transfer: TransferInMind): Promise<Finding[]> {
  const { from, to, usdValue, since, facts } = transfer;
  return [
    await sanctions(tx, from, to),
    await velocity(tx, from, usdValue, since),
    await aml(tx, transfer),
    from.clientId === CUSTODIAN_CLIENT_ID
      ? { kind: 'KYC', result: 'PASS', details: 'It is the custodian’s own.' }
      : kycFinding(facts.kycStatuses),
    await concentration(tx, transfer),
    counterparty(to),
  ];
}

/** After velocity, which lets one transfer of a client in at a time. */
async function aml(tx: Tx, { from, to, usdValue, since }: TransferInMind): Promise<Finding> {
  const rows = await tx.$queryRaw<{ usdValue: Decimal }[]>(
    sql`select usd_value as "usdValue" from transfers
          join accounts as payer on payer.account_id = from_account_id
          join accounts as payee on payee.account_id = to_account_id
         where payer.client_id = ${from.clientId} and payee.client_id <> payer.client_id
           and transfers.created_at >= ${since.toISOString()}::timestamptz and usd_value < ${settings.amlReviewUsd}
           and transfers.status not in ('EXPIRED', 'CANCELLED', 'FAILED')`,
  );
  const earlier = rows.map((row) => dec(row.usdValue));
  const terms = { reviewUsd: dec(settings.amlReviewUsd), structuringCount: settings.amlStructuringCount };
  return amlFinding({ usdValue, earlier, isToSelf: from.clientId === to.clientId }, terms);
}

async function concentration(tx: Tx, { from, to, asset, usdValue, facts }: TransferInMind): Promise<Finding> {
  if (to.clientId === CUSTODIAN_CLIENT_ID || to.clientId === from.clientId) {
    return { kind: 'CONCENTRATION', result: 'PASS', details: 'No other client receives it.' };
  }
  const rows = await tx.$queryRaw<{ asset: string; quantity: Decimal }[]>(
    sql`select asset, sum(quantity) as quantity from holdings join accounts using (account_id)
         where client_id = ${to.clientId} group by asset`,
  );
  const values = new Map(rows.map((row) => [row.asset, dec(row.quantity).times(facts.prices.get(row.asset) ?? 0)]));
  values.set(asset, usdValue.plus(values.get(asset) ?? 0));
  const known = await tx.asset.findUnique({ where: { code: asset } });
  return concentrationFinding(asset, known?.isCash ?? false, values, {
    reviewPercent: dec(settings.concentrationReviewPercent),
    limitPercent: dec(settings.concentrationLimitPercent),
  });
}

async function sanctions(tx: Tx, from: LockedAccount, to: LockedAccount): Promise<Finding> {
  const parties = [from.clientId, from.accountId, to.clientId, to.accountId];
  const [found] = await tx.sanctionedParty.findMany({
    where: { partyId: { in: parties } },
    orderBy: { partyId: 'asc' },
  });
  if (!found) return { kind: 'SANCTIONS', result: 'PASS', details: 'Neither side is on the list.' };
  return { kind: 'SANCTIONS', result: 'FAIL', details: `${found.partyId} is on the list: ${found.reason}` };
}

/** Transfers of a client are counted one after the other, so that two at once do not both pass. */
async function velocity(tx: Tx, from: LockedAccount, usdValue: Decimal, since: Date): Promise<Finding> {
  await tx.$executeRaw(sql`select pg_advisory_xact_lock(hashtext('velocity'), hashtext(${from.clientId}))`);
  const [sum] = await tx.$queryRaw<{ moved: Decimal }[]>(
    sql`select coalesce(sum(usd_value), 0) as moved from transfers join accounts on account_id = from_account_id
         where client_id = ${from.clientId} and transfers.created_at >= ${since.toISOString()}::timestamptz
           and transfers.status not in ('REJECTED', 'EXPIRED', 'CANCELLED', 'FAILED')`,
  );
  const total = dec(sum?.moved ?? 0).plus(usdValue);
  const limit = dec(settings.velocityLimitUsd);
  const details = `${toWire(total)} US dollars in 24 hours, of at most ${toWire(limit)}.`;
  const result = total.gt(limit) ? 'FAIL' : total.gte(limit.times(REVIEW_SHARE)) ? 'REVIEW' : 'PASS';
  return { kind: 'VELOCITY', result, details };
}

function counterparty({ accountId, kind }: LockedAccount): Finding {
  const isOutside = kind === 'EXTERNAL';
  return {
    kind: 'COUNTERPARTY',
    result: isOutside ? 'REVIEW' : 'PASS',
    details: isOutside ? 'It leaves the custodian.' : `It stays with the custodian, in ${accountId}.`,
  };
}

/** Stores what was found. */
export async function recordFindings(
  tx: Tx,
  { traceId }: Context,
  transferId: string,
  accountId: string,
  findings: readonly Finding[],
): Promise<void> {
  await tx.complianceCheck.createMany({
    data: findings.map((finding) => ({
      ...finding,
      subjectType: 'TRANSFER',
      subjectId: transferId,
      accountId,
      traceId,
    })),
  });
}

export function sanctionParty(context: Context, input: SanctionPartyInput): Promise<SanctionPayload> {
  return command(context, 'sanctionParty', input, async (tx) => {
    const partyId = boundedText(input.partyId, PERSON_LENGTH, ['input', 'partyId']);
    const reason = boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    const actor = boundedText(input.actor, PERSON_LENGTH, ['input', 'actor']);
    try {
      await tx.sanctionedParty.create({ data: { partyId, reason, actor, traceId: context.traceId } });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw refuse.conflict(null, `"${partyId}" is on the list already.`, ['input', 'partyId']);
    }
    return { partyId };
  });
}

export function liftSanction(context: Context, input: LiftSanctionInput): Promise<SanctionPayload> {
  return command(context, 'liftSanction', input, async (tx) => {
    const partyId = boundedText(input.partyId, PERSON_LENGTH, ['input', 'partyId']);
    const { count } = await tx.sanctionedParty.deleteMany({ where: { partyId } });
    if (count === 0) throw refuse.notFound('SanctionedParty', partyId, ['input', 'partyId']);
    return { partyId };
  });
}

/** Parties on the list, of one answer. */
const PARTIES_LIMIT = 500;

export function sanctionedParties({ db }: Context, search: string | null | undefined): Promise<SanctionedPartyRow[]> {
  const begins: Sql = search ? sql`where starts_with(party_id, ${search})` : sql``;
  return db.query<SanctionedPartyRow>(
    sql`select party_id, reason, actor, created_at from sanctioned_parties ${begins} order by party_id limit ${PARTIES_LIMIT}`,
  );
}
