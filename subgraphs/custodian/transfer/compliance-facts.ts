/** What compliance must know of other domains before a transfer is taken, asked before its transaction. */
import { sql } from '../../../platform/database/sql.ts';
import type { Decimal } from '../../../platform/decimal.ts';
import { isStorable } from '../../../platform/texts.ts';
import { EXCHANGE_VENUE, LINK_LIMIT } from '../accounts.ts';
import type { Context } from '../context.ts';
import { readUsdPrices } from '../prices.ts';
import type { KycStatus } from '../rules/compliance.ts';

export interface ComplianceFacts {
  /** Of the exchange accounts that the payer's custody accounts stand for. */
  kycStatuses: KycStatus[];
  /** US dollars a unit of the asset and of whatever the receiver keeps. */
  prices: ReadonlyMap<string, Decimal>;
}

/** @throws what the graph throws when the exchange or market data does not answer */
export async function readFacts(
  context: Context,
  { fromAccountId, toAccountId, asset }: { fromAccountId: string; toAccountId: string; asset: string },
): Promise<ComplianceFacts> {
  const [kycStatuses, kept] = await Promise.all([kycOf(context, fromAccountId), assetsOfClient(context, toAccountId)]);
  return { kycStatuses, prices: await readUsdPrices(context.graph, [asset, ...kept]) };
}

async function kycOf({ db, graph }: Context, accountId: string): Promise<KycStatus[]> {
  if (!isStorable(accountId)) return []; // the command says so
  const links = await db.query<{ venueAccountId: string }>(
    sql`select venue_account_id from account_links join accounts on account_id = custody_account_id
         where venue_id = ${EXCHANGE_VENUE}
           and client_id = (select client_id from accounts where account_id = ${accountId})
         order by venue_account_id limit ${LINK_LIMIT}`,
  );
  if (links.length === 0) return [];
  const fields = links.map((_, i) => `a${i}: exchangeAccount(id: $id${i}) { kycStatus }`);
  const document = `query KycStatuses(${links.map((_, i) => `$id${i}: ID!`).join(', ')}) { ${fields.join(' ')} }`;
  const variables = Object.fromEntries(links.map(({ venueAccountId }, i) => [`id${i}`, venueAccountId]));
  const answer = await graph.request<Record<string, { kycStatus: KycStatus } | null>>(document, variables);
  return links.flatMap((_, i) => answer[`a${i}`]?.kycStatus ?? []);
}

async function assetsOfClient({ db }: Context, accountId: string): Promise<string[]> {
  if (!isStorable(accountId)) return [];
  const rows = await db.query<{ asset: string }>(
    sql`select distinct asset from holdings join accounts using (account_id)
         where client_id = (select client_id from accounts where account_id = ${accountId}) and quantity > 0`,
  );
  return rows.map(({ asset }) => asset);
}
