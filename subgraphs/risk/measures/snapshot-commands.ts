/** Taking snapshots of what trading and venues say that accounts hold. */
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, round8 } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { type Context, statementsOf } from '../context.ts';
import type { CapturePositionsInput } from '../generated/resolvers.ts';
import { CUSTODY } from '../monitor/documents.ts';
import { accountReference, custodyReference } from '../references.ts';
import { usdRate } from '../rules/conversion.ts';
import { worthOf } from '../rules/portfolio.ts';

export type CapturedPayload = CommandPayload<{ capturedCount: number; at: string }>;

const ACCOUNTS_LIMIT = 100;

export interface NewSnapshot {
  instrumentId: string;
  accountId: string;
  strategyId: string | null;
  quantity: string;
  marketValue: string | null;
  averageEntryPrice: string | null;
  currentPrice: string | null;
  unrealizedPnl: string | null;
  realizedPnl: string | null;
  source: 'trading' | 'exchange' | 'custodian';
  venue: string | null;
}

/** Stores what the accounts hold now, all with one instant. */
export async function capturePositions(context: Context, input: CapturePositionsInput): Promise<CapturedPayload> {
  const seen = await beforehand('trading', () => look(context, input));
  return command(context, 'capturePositions', input, async (tx) => {
    const snapshots = seen();
    const at = context.now().toISOString();
    const rows = await statementsOf(tx).query(sql`
      insert into position_snapshots (instrument_id, account_id, strategy_id, quantity, market_value, average_entry_price,
             current_price, unrealized_pnl, realized_pnl, source, venue, snapshot_timestamp)
      select "instrumentId", "accountId", "strategyId", quantity, "marketValue", "averageEntryPrice", "currentPrice",
             "unrealizedPnl", "realizedPnl", source, venue, ${at}::timestamptz
        from jsonb_to_recordset(${JSON.stringify(snapshots)}::jsonb) as new (
             "instrumentId" text, "accountId" text, "strategyId" text, quantity numeric, "marketValue" numeric,
             "averageEntryPrice" numeric, "currentPrice" numeric, "unrealizedPnl" numeric, "realizedPnl" numeric,
             source text, venue text)
      on conflict do nothing returning snapshot_id::text as "snapshotId"`);
    return { capturedCount: rows.length, at };
  });
}

async function look(context: Context, { accountIds }: CapturePositionsInput): Promise<NewSnapshot[]> {
  if (accountIds && (accountIds.length === 0 || accountIds.length > ACCOUNTS_LIMIT)) {
    const message = `accountIds takes 1 to ${ACCOUNTS_LIMIT} accounts, but got ${accountIds.length}.`;
    throw refuse.validation(message, ['input', 'accountIds']);
  }
  const named = accountIds?.map((accountId, i) => accountReference(accountId, ['input', 'accountIds', String(i)]));
  const { book, balances } = context.service.portfolios;
  await book.ready();
  const all = named ?? book.accountIds();
  await balances.refresh(all, 0);
  await context.service.portfolios.wantBalances(all);
  const inCustody = await ofCustodian(context, named ?? null);
  const elsewhere = all.flatMap((accountId) => [...ofTrading(context, accountId), ...ofExchange(context, accountId)]);
  return [...elsewhere, ...inCustody];
}

const text = (value: Decimal) => round8(value).toFixed();

function ofTrading(context: Context, accountId: string): NewSnapshot[] {
  return context.service.book.holdingsOf(accountId).map((holding) => ({
    instrumentId: holding.instrumentId,
    accountId,
    strategyId: holding.strategyId,
    quantity: text(holding.quantity),
    marketValue: holding.quoteRate && text(worthOf(holding)),
    averageEntryPrice: text(holding.averageEntryPrice),
    currentPrice: text(holding.price),
    unrealizedPnl: text(holding.unrealizedPnl),
    realizedPnl: text(holding.realizedPnl),
    source: 'trading',
    venue: null,
  }));
}

interface CustodyPage {
  custodyPositions: {
    nodes: { quantity: string; account: { accountId: string }; asset: { code: string } | null }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  } | null;
}

/** What a custodian holds; nothing while it does not answer, since what others say is worth keeping without it. */
async function ofCustodian(context: Context, named: readonly string[] | null): Promise<NewSnapshot[]> {
  if (named && !named.some((accountId) => accountId.startsWith('custody:'))) return [];
  const snapshots: NewSnapshot[] = [];
  const prices = context.service.book.allPrices();
  try {
    for (let after: string | null = null; ; ) {
      const { custodyPositions }: CustodyPage = await context.graph.request<CustodyPage>(CUSTODY, { after });
      for (const { quantity, account, asset } of custodyPositions?.nodes ?? []) {
        const accountId = custodyReference(account.accountId);
        if (!asset || (named && !named.includes(accountId))) continue;
        const rate = usdRate(asset.code, prices);
        snapshots.push({
          instrumentId: asset.code,
          accountId,
          strategyId: null,
          quantity,
          marketValue: rate && text(rate.times(quantity)),
          averageEntryPrice: null,
          currentPrice: rate && text(rate),
          unrealizedPnl: null,
          realizedPnl: null,
          source: 'custodian',
          venue: 'custodian',
        });
      }
      if (!custodyPositions?.pageInfo.hasNextPage) return snapshots;
      after = custodyPositions.pageInfo.endCursor;
    }
  } catch (error) {
    context.log.info({ err: error }, 'what is in custody is not known; the snapshots are without it');
    return [];
  }
}

/** The one exchange that this graph has. */
const VENUE = 'exchange';

function ofExchange(context: Context, accountId: string): NewSnapshot[] {
  const { book, balances } = context.service.portfolios;
  const prices = book.allPrices();
  return [...(balances.of(accountId) ?? [])].map(([asset, units]) => {
    const rate = usdRate(asset, prices);
    return {
      instrumentId: asset,
      accountId,
      strategyId: null,
      quantity: text(units),
      marketValue: rate && text(units.times(rate)),
      averageEntryPrice: null,
      currentPrice: rate && text(rate),
      unrealizedPnl: null,
      realizedPnl: null,
      source: 'exchange',
      venue: VENUE,
    };
  });
}
