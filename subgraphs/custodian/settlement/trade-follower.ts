/**
 * Every trade of a linked account at the exchange becomes a settlement, exactly one: its external id is the trade's id.
 *
 * Each side of a match is settled gross, in full and by itself, between the client's custody account and the exchange,
 * which stands between buyer and seller: the goods against the money with the fee, as the exchange has booked them. Nothing
 * is netted, so that a trade can be followed to its settlement one by one.
 */
import { assetCode } from '../../../platform/asset-code.ts';
import { command, goOnWith } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { dec, round8 } from '../../../platform/decimal.ts';
import { Refusal } from '../../../platform/errors.ts';
import { EXCHANGE_VENUE } from '../accounts.ts';
import { type RememberAsset, requireAsset } from '../assets.ts';
import { readCalendars } from '../calendar/calendars.ts';
import type { Context } from '../context.ts';
import { DOLLAR } from '../prices.ts';
import { EXTERNAL_ACCOUNT_ID } from '../rules/ids.ts';
import { settings } from '../settings.ts';
import { type Instruction, instruct } from './instructing.ts';
import { type TracedTrade, tracesOf } from './trade-traces.ts';

/** What of a trade says what it owes. */
export interface TradeTerms {
  tradeId: string;
  side: 'BUY' | 'SELL';
  quantity: string;
  price: string;
  fee: string;
  executedAt: string;
  account: { accountId: string };
  instrument: { symbol: string } | null;
}

/** A trade as the exchange tells it. */
export interface Trade extends TradeTerms, TracedTrade {}

const TRADES = /* GraphQL */ `
  query TradesToSettle($from: DateTime!, $after: String) {
    exchangeTrades(filter: { from: $from }, sortBy: EXECUTED_AT, sortOrder: ASC, first: 500, after: $after) {
      nodes { tradeId side liquidity quantity price fee executedAt traceId order { orderId } account { accountId } instrument { symbol } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

interface TradesPage {
  exchangeTrades: { nodes: Trade[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null;
}

/**
 * A trade gets its instant before it is committed, at most half a minute: those of the last minute before the cursor are
 * looked at again, so that none is missed.
 */
export const SURE_OVERLAP_MS = 60_000; // a minute
/** Enough when nothing is slow; the next sure look finds the rest. */
export const QUICK_OVERLAP_MS = 2_000; // 2 seconds

/** Trades of one transaction. */
const TRADES_AT_ONCE = 25;

interface Link {
  accountId: string;
  venueAccountId: string;
  settlesFrom: string;
}

/** Makes settlements of the trades since the stored cursor, and moves it. Gives how many are new. */
export async function followTrades(context: Context, overlapMs: number = SURE_OVERLAP_MS): Promise<number> {
  const links = await context.db.query<Link>(
    sql`select custody_account_id as account_id, venue_account_id, settles_from from account_links
         where venue_id = ${EXCHANGE_VENUE} order by settles_from`,
  );
  const [first] = links;
  if (!first) return 0;
  const linkOf = new Map(links.map((link) => [link.venueAccountId, link]));
  let count = 0;
  for (;;) {
    const cursor = await cursorOf(context);
    const from = new Date(Math.max(Date.parse(cursor ?? first.settlesFrom) - overlapMs, Date.parse(first.settlesFrom)));
    const followed = await followFrom(context, from, cursor, linkOf);
    count += followed.count;
    if (!followed.isOutrun) return count;
  }
}

async function followFrom(
  context: Context,
  from: Date,
  begun: string | null,
  linkOf: ReadonlyMap<string, Link>,
): Promise<{ count: number; isOutrun: boolean }> {
  let cursor = begun;
  let after: string | null = null;
  let count = 0;
  for (;;) {
    const page: TradesPage = await context.graph.request<TradesPage>(TRADES, { from: from.toISOString(), after });
    const { nodes, pageInfo } = page.exchangeTrades ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    const theirs = nodes.filter((trade) => isToSettle(trade, linkOf));
    for (let start = 0; start < theirs.length; start += TRADES_AT_ONCE) {
      count += await settleTrades(context, theirs.slice(start, start + TRADES_AT_ONCE), linkOf);
    }
    const last = nodes.at(-1)?.executedAt;
    if (last !== undefined && (cursor === null || Date.parse(last) > Date.parse(cursor))) {
      if (!(await moveCursor(context, cursor, last))) return { count, isOutrun: true };
      cursor = await cursorOf(context);
    }
    if (!pageInfo.hasNextPage) return { count, isOutrun: false };
    after = pageInfo.endCursor;
  }
}

function isToSettle({ account, executedAt, instrument }: Trade, linkOf: ReadonlyMap<string, Link>): boolean {
  const link = linkOf.get(account.accountId);
  return link !== undefined && instrument !== null && Date.parse(executedAt) >= Date.parse(link.settlesFrom);
}

async function cursorOf({ db }: Context): Promise<string | null> {
  const row = await db.one<{ followedTo: string }>(
    sql`select followed_to from trade_cursors where venue_id = ${EXCHANGE_VENUE}`,
  );
  return row?.followedTo ?? null;
}

/** False when somebody else has moved it meanwhile: forward, or back for a link that begins earlier. */
async function moveCursor({ db }: Context, from: string | null, to: string): Promise<boolean> {
  const moved =
    from === null
      ? await db.query(
          sql`insert into trade_cursors (venue_id, followed_to) values (${EXCHANGE_VENUE}, ${to}::timestamptz)
              on conflict do nothing returning venue_id`,
        )
      : await db.query(
          sql`update trade_cursors set followed_to = ${to}::timestamptz
               where venue_id = ${EXCHANGE_VENUE} and followed_to = ${from}::timestamptz returning venue_id`,
        );
  return moved.length > 0;
}

/** Stores the instructions of trades that have none yet. Gives how many are new. */
async function settleTrades(
  context: Context,
  trades: readonly Trade[],
  linkOf: ReadonlyMap<string, Link>,
): Promise<number> {
  const known = await context.db.query<{ exchangeTradeId: string }>(
    sql`select exchange_trade_id from settlements
         where exchange_trade_id = any(${trades.map(({ tradeId }) => tradeId)}::uuid[]) and retry_of is null`,
  );
  const missing = trades.filter(({ tradeId }) => !known.some((one) => one.exchangeTradeId === tradeId));
  if (missing.length === 0) return 0;
  const traces = await tracesOf(context, missing);
  const traced = missing.map((trade, index) => ({
    traceId: traces[index] ?? null,
    instruction: instructionOf(trade, linkOf.get(trade.account.accountId) as Link),
  }));
  const instructions = traced.map(({ instruction }) => instruction);
  const remember = await knowAssets(context, instructions);
  const calendars = await readCalendars(context);
  const { count = 0, errors } = await command(context, 'settleTrades', {}, async (tx) => {
    for (const makeKnown of remember) await makeKnown(tx);
    let made = 0;
    for (const { instruction, traceId } of traced) {
      const own = await goOnWith(tx, context, traceId);
      made += (await instruct(tx, own, instruction, calendars)) ? 1 : 0;
    }
    return { count: made };
  });
  const [refusal] = errors;
  if (refusal) throw new Refusal(refusal);
  return count;
}

function knowAssets(context: Context, instructions: readonly Instruction[]): Promise<RememberAsset[]> {
  const codes = new Set(
    instructions.flatMap(({ asset, currency }) => (currency === null ? [asset] : [asset, currency])),
  );
  return Promise.all([...codes].map((code) => requireAsset(context, code)));
}

/** What a trade owes: a buyer the value and the fee for the goods, a seller the goods for the value less the fee. */
export function instructionOf(trade: TradeTerms, { accountId }: Pick<Link, 'accountId'>): Instruction {
  const [base = '', quote = ''] = trade.instrument?.symbol.split('-') ?? [];
  const quantity = dec(trade.quantity);
  const value = round8(quantity.times(trade.price));
  const isBuy = trade.side === 'BUY';
  const cash = isBuy ? value.plus(trade.fee) : value.minus(trade.fee);
  const isPaid = cash.gt(0); // a value so small that the fee takes it is a delivery free of payment
  const currency = assetCode(quote);
  return {
    externalId: trade.tradeId,
    type: 'TRADE_SETTLEMENT',
    accountId,
    sourceAccountId: isBuy ? EXTERNAL_ACCOUNT_ID : accountId,
    destinationAccountId: isBuy ? accountId : EXTERNAL_ACCOUNT_ID,
    asset: assetCode(base),
    quantity,
    currency: isPaid ? currency : null,
    cashAmount: isPaid ? cash : null,
    rail: settings.tradeRail,
    usdValue: currency === DOLLAR ? value : null,
    at: new Date(trade.executedAt),
    venueId: EXCHANGE_VENUE,
    exchangeTradeId: trade.tradeId,
    reserve: 'if there',
  };
}
