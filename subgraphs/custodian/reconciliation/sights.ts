/** What both sides say: the tables here, in one statement, and the exchange, asked by way of the graph. */
import { sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { EXCHANGE_VENUE } from '../accounts.ts';
import type { Context } from '../context.ts';
import type { Sight } from './comparing.ts';

interface External {
  accountId: string;
  asset: string;
  total: string;
  /** Trades after that are not in it. */
  at: string;
}

/** Accounts in one request: each is an alias. */
const ACCOUNTS_AT_ONCE = 20;

interface ExchangeAccount {
  balances: { asset: { code: string } | null; total: string; updatedAt: string }[];
}

/** What each linked custody account, or the one, and the exchange say of each asset. */
export async function lookAtBoth(context: Context, accountId: string | null): Promise<Sight[]> {
  const links = await context.db.query<{ accountId: string; venueAccountId: string }>(
    sql`select custody_account_id as account_id, venue_account_id from account_links
         where venue_id = ${EXCHANGE_VENUE} and (${accountId}::text is null or custody_account_id = ${accountId})
         order by custody_account_id, venue_account_id`,
  );
  const external: External[] = [];
  for (let start = 0; start < links.length; start += ACCOUNTS_AT_ONCE) {
    external.push(...(await askExchange(context, links.slice(start, start + ACCOUNTS_AT_ONCE))));
  }
  const accountIds = [...new Set(links.map((link) => link.accountId))];
  return accountIds.length === 0 ? [] : beside(context, accountIds, external);
}

async function askExchange(
  { graph }: Context,
  links: readonly { accountId: string; venueAccountId: string }[],
): Promise<External[]> {
  const fields = links.map(
    (_, i) => `a${i}: exchangeAccount(id: $id${i}) { balances { asset { code } total updatedAt } }`,
  );
  const document = `query Balances(${links.map((_, i) => `$id${i}: ID!`).join(', ')}) { ${fields.join(' ')} }`;
  const variables = Object.fromEntries(links.map(({ venueAccountId }, i) => [`id${i}`, venueAccountId]));
  const answer = await graph.request<Record<string, ExchangeAccount | null>>(document, variables);
  return links.flatMap(({ accountId }, i) =>
    (answer[`a${i}`]?.balances ?? []).flatMap(({ asset, total, updatedAt }) =>
      asset ? [{ accountId, asset: asset.code, total, at: updatedAt }] : [],
    ),
  );
}

/**
 * The tables beside the exchange's word. Settlements of trades that came after that word are left out of what is under
 * way, and taken back where they are settled already: the balances and the trades are read at different instants.
 */
async function beside(
  context: Context,
  accountIds: readonly string[],
  external: readonly External[],
): Promise<Sight[]> {
  const rows = await context.db.query<Record<'accountId' | 'asset' | 'internal' | 'inFlight' | 'external', string>>(
    sql`with said as (
          select account_id, asset, sum(total) as total, max(at) as at
            from unnest(${external.map((one) => one.accountId)}::text[], ${external.map((one) => one.asset)}::text[],
                        ${external.map((one) => one.total)}::numeric[], ${external.map((one) => one.at)}::timestamptz[])
              as said(account_id, asset, total, at)
           group by account_id, asset),
        recent as (
          select * from settlements
           where (source_account_id = any(${accountIds}::text[]) or destination_account_id = any(${accountIds}::text[]))
             and (status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED')
               or (instruction_type = 'TRADE_SETTLEMENT' and initiated_at >= (select min(at) from said)))),
        moves as (
          select destination_account_id as account_id, asset, quantity - settled_quantity as rest, settled_quantity as done,
                 instruction_type, status, initiated_at from recent
          union all
          select source_account_id, asset, settled_quantity - quantity, -settled_quantity, instruction_type, status,
                 initiated_at from recent
          union all
          select destination_account_id, currency, settled_cash - cash_amount, -settled_cash, instruction_type, status,
                 initiated_at from recent where currency is not null
          union all
          select source_account_id, currency, cash_amount - settled_cash, settled_cash, instruction_type, status,
                 initiated_at from recent where currency is not null),
        flight as (
          select moves.account_id, moves.asset,
                 sum(case
                   when instruction_type = 'TRADE_SETTLEMENT' and initiated_at > said.at then -done
                   when status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED') then rest
                   else 0
                 end) as amount
            from moves left join said using (account_id, asset)
           where moves.account_id = any(${accountIds}::text[])
           group by moves.account_id, moves.asset)
        select account_id, asset, coalesce(kept.quantity, 0)::text as internal, coalesce(flight.amount, 0)::text as in_flight,
               coalesce(said.total, 0)::text as external
          from (select * from holdings where account_id = any(${accountIds}::text[])) as kept
          full join flight using (account_id, asset) full join said using (account_id, asset)
         order by account_id, asset`,
  );
  return rows.map(({ internal, inFlight, external: theirs, ...place }) => ({
    ...place,
    internal: dec(internal),
    inFlight: dec(inFlight),
    external: dec(theirs),
  }));
}
