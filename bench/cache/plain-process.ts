/**
 * The plainest cache: dataloader and ioredis wired by hand in one schema. A value is stored as it was read, and whoever
 * writes deletes its key afterwards. Nothing hinders a reader who is late from storing what is old by then.
 */
import DataLoader from 'dataloader';
import { buildSchema, execute, parse } from 'graphql';
import { Redis } from 'ioredis';
import pg from 'pg';
import { answerParent, roleOfThisProcess } from '../live/processes.ts';
import type { GraphRole, ServerMethods } from './graph-process.ts';
import { PORTFOLIO, variablesOf } from './portfolio.ts';
import { keepAsking, measureRequests } from './requests.ts';

const { databaseUrl, redisUrl = '' } = roleOfThisProcess<GraphRole>();
const pool = new pg.Pool({ connectionString: databaseUrl });
pool.on('error', () => process.exit(1)); // PostgreSQL has gone, and so has the benchmark
const redis = new Redis(redisUrl);
const counts = { statements: 0, hits: 0, reads: 0 };

const TTL_SECONDS = 300; // 5 minutes

type Row = Record<string, string | null>;

/** Redis first; what is missing there by one statement, whose rows name what they belong to as `of`. */
function loader<Value>(name: string, text: string, make: (rows: Row[]) => Value) {
  return new DataLoader<string, Value>(async (keys) => {
    const cached = await redis.mget(keys.map((key) => `plain:${name}:${key}`));
    const missing = keys.filter((_, i) => cached[i] === null);
    counts.reads += keys.length;
    counts.hits += keys.length - missing.length;
    const read = missing.length > 0 ? await readAll(name, text, missing, make) : new Map<string, Value>();
    return keys.map((key, i) => {
      const json = cached[i];
      return typeof json === 'string' ? (JSON.parse(json) as Value) : (read.get(key) as Value);
    });
  });
}

async function readAll<Value>(name: string, text: string, keys: string[], make: (rows: Row[]) => Value) {
  counts.statements++;
  const { rows } = await pool.query<Row & { of: string }>({ name, text, values: [keys] });
  const byKey = Map.groupBy(rows, (row) => row.of);
  const values = new Map(keys.map((key) => [key, make(byKey.get(key) ?? [])]));
  const store = redis.pipeline();
  for (const [key, value] of values) store.set(`plain:${name}:${key}`, JSON.stringify(value), 'EX', TTL_SECONDS);
  void store.exec();
  return values;
}

const all = (rows: Row[]) => rows;
const first = (rows: Row[]) => rows[0] ?? null;
const money = (...columns: string[]) =>
  columns.map((column) => `trim_scale(${column})::text as "${camel(column)}"`).join();
const camel = (column: string) => column.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const TOTALS = `
  select held.account_id::text as of, trim_scale(sum(market_value))::text as "totalMarketValue",
         trim_scale(sum(unrealized_pnl))::text as "totalUnrealizedPnl", trim_scale(sum(exposure))::text as "grossExposure",
         (select trim_scale(sum(realized_pnl))::text from trading.strategies s where s.account_id = held.account_id)
           as "totalRealizedPnl"
    from trading.positions held where account_id = any($1::uuid[]) and closed_at is null group by account_id`;
const POSITIONS = `
  select account_id::text as of, instrument_id as symbol,
         ${money('quantity', 'average_entry_price', 'current_price', 'market_value', 'unrealized_pnl')}
    from trading.positions where account_id = any($1::uuid[]) and closed_at is null order by opened_at, position_id`;
const ORDERS = `
  select account_id::text as of, instrument_id as symbol, upper(side) as side, upper(status) as status,
         ${money('quantity', 'price')}
    from trading.orders where account_id = any($1::uuid[]) and status in ('pending', 'submitted', 'accepted', 'partially_filled')
   order by created_at desc limit 50`;
const ACCOUNTS = `
  select account_id::text as of, user_id as "clientId", status from exchange.accounts where account_id = any($1::uuid[])`;
const BALANCES = `
  select account_id::text as of, symbol as code, trim_scale(available_balance)::text as available,
         trim_scale(locked_balance)::text as locked
    from exchange.balances where account_id = any($1::uuid[]) order by symbol`;
const ASSETS = `select code as of, code, name from market_data.assets where code = any($1::text[])`;
const INSTRUMENTS = `select symbol as of, symbol from market_data.symbols where symbol = any($1::text[])`;
const TICKERS = `
  select symbol as of, ${money('last_price', 'bid', 'ask')} from market_data.tickers where symbol = any($1::text[])`;

const schema = buildSchema(/* GraphQL */ `
  type Query { portfolio(accountId: ID!): Portfolio }
  type Portfolio {
    totalMarketValue: String totalUnrealizedPnl: String totalRealizedPnl: String grossExposure: String netExposure: String
    account: Account
    balances: [Balance!]
    positions(first: Int, sortOrder: SortOrder): Positions
    openOrders: Orders
  }
  enum SortOrder { ASC DESC }
  type Account { client: Client status: String }
  type Client { clientId: String }
  type Balance { asset: Asset available: String locked: String }
  type Asset { code: String name: String }
  type Positions { nodes: [Position!] }
  type Position {
    quantity: String averageEntryPrice: String currentPrice: String marketValue: String unrealizedPnl: String
    instrument: Instrument
  }
  type Instrument { symbol: String ticker: Ticker }
  type Ticker { lastPrice: String bid: String ask: String }
  type Orders { nodes: [Order!] }
  type Order { side: String quantity: String price: String status: String instrument: Instrument }
`);
const document = parse(PORTFOLIO);

/** Resolvers of one request, with loaders of its own. */
function createRoot() {
  const totals = loader('totals', TOTALS, first);
  const positions = loader('positions', POSITIONS, all);
  const orders = loader('orders', ORDERS, all);
  const accounts = loader('accounts', ACCOUNTS, first);
  const balances = loader('balances', BALANCES, all);
  const assets = loader('assets', ASSETS, first);
  const instruments = loader('instruments', INSTRUMENTS, first);
  const tickers = loader('tickers', TICKERS, first);
  const instrument = async (symbol: string) => ({
    ...(await instruments.load(symbol)),
    ticker: () => tickers.load(symbol),
  });
  const withInstrument = (row: Row) => ({ ...row, instrument: () => instrument(row.symbol as string) });
  const ofTotals = (accountId: string, name: string) => async () => (await totals.load(accountId))?.[name];
  return {
    portfolio: ({ accountId }: { accountId: string }) => ({
      totalMarketValue: ofTotals(accountId, 'totalMarketValue'),
      totalUnrealizedPnl: ofTotals(accountId, 'totalUnrealizedPnl'),
      totalRealizedPnl: ofTotals(accountId, 'totalRealizedPnl'),
      grossExposure: ofTotals(accountId, 'grossExposure'),
      netExposure: ofTotals(accountId, 'totalMarketValue'),
      account: async () => {
        const account = await accounts.load(accountId);
        return { client: { clientId: account?.clientId }, status: account?.status };
      },
      balances: async () =>
        (await balances.load(accountId)).map((row) => ({ ...row, asset: () => assets.load(row.code as string) })),
      positions: async () => ({ nodes: (await positions.load(accountId)).map(withInstrument) }),
      openOrders: async () => ({ nodes: (await orders.load(accountId)).map(withInstrument) }),
    }),
  };
}

const ask = async (nth: number) =>
  JSON.stringify(await execute({ schema, document, rootValue: createRoot(), variableValues: variablesOf(nth) }));

const methods: ServerMethods = {
  answer: ask,
  measure: (requests) => measureRequests(requests, ask, () => ({ ...counts })),
  keepAsking: (asking) => keepAsking(asking, ask, () => ({ ...counts })),
};
answerParent(methods);
