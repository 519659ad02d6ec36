/**
 * Redis first: a script takes a price that is newer and appends it to a stream, and that is the answer. A reader of the
 * stream tells the subscriber, another writes PostgreSQL in batches. What Redis loses before that is lost.
 */
import { buildSchema, execute, parse } from 'graphql';
import { Redis } from 'ioredis';
import pg from 'pg';
import { schemaOf } from '../../platform/domains.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { answerParent, roleOfThisProcess } from '../live/processes.ts';
import { type Called, type Calling, call, Outstanding, type Price } from './callers.ts';
import type { GraphRole } from './graph-process.ts';

const { databaseUrl, redisUrl } = roleOfThisProcess<GraphRole>();
const pool = new pg.Pool({
  connectionString: domainUrl(databaseUrl, 'market-data'),
  options: `-c search_path=${schemaOf('market-data')}`,
});
pool.on('error', () => process.exit(1)); // PostgreSQL has gone, and so has the benchmark
const redis = new Redis(redisUrl, { enableAutoPipelining: true });

const STREAM = 'rival:prices';
const STREAM_LENGTH = 100_000;
const BATCH = 1_000;
const ARCHIVE_EVERY_MS = 50;

const TAKE = `
  local known = redis.call('HGET', KEYS[1], 'at')
  if not known or known < ARGV[2] then
    redis.call('HSET', KEYS[1], 'at', ARGV[2], 'price', ARGV[3], 'source', ARGV[4], 'sequence', ARGV[5])
  end
  return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${STREAM_LENGTH}, '*', 'symbol', ARGV[1], 'at', ARGV[2],
    'price', ARGV[3], 'source', ARGV[4], 'sequence', ARGV[5])`;
redis.defineCommand('take', { numberOfKeys: 2, lua: TAKE });
const taker = redis as Redis & { take(...words: string[]): Promise<string> };

const schema = buildSchema(`
  input PriceInput { symbol: String!, source: String!, timestamp: String!, sequence: String!, price: String! }
  type Query { prices: Int }
  type Mutation { ingestPrice(price: PriceInput!): Boolean! }`);
const INGEST = parse('mutation I($price: PriceInput!) { ingestPrice(price: $price) }');
const rootValue = {
  async ingestPrice({ price: { symbol, timestamp, price, source, sequence } }: { price: Price }) {
    if (!(Number(price) > 0)) throw new Error('price must be above 0');
    await taker.take(`rival:newest:${symbol}`, STREAM, symbol, timestamp, price, source, sequence);
    return true;
  },
};

const heard = new Outstanding();
const stored = new Outstanding();

type Entry = [id: string, fields: string[]];

async function* entries(blockMs: number | null): AsyncGenerator<Entry[]> {
  const reader = new Redis(redisUrl);
  for (let last = '0'; ; ) {
    const read =
      blockMs === null
        ? await reader.xread('COUNT', BATCH, 'STREAMS', STREAM, last)
        : await reader.xread('COUNT', BATCH, 'BLOCK', blockMs, 'STREAMS', STREAM, last);
    const batch = read?.[0]?.[1] ?? [];
    last = batch.at(-1)?.[0] ?? last;
    yield batch;
  }
}

async function follow(): Promise<void> {
  for await (const batch of entries(1_000)) {
    for (const [, fields] of batch) heard.arrive(fields[1] ?? '', Number(fields[5]));
  }
}

async function archive(): Promise<void> {
  for await (const batch of entries(null)) {
    if (batch.length === 0) await new Promise((resolve) => setTimeout(resolve, ARCHIVE_EVERY_MS));
    else
      await store(
        batch.map(([, [, symbol, , at, , price, , source, , sequence]]) => ({ symbol, at, price, source, sequence })),
      );
  }
}

type Row = Record<'symbol' | 'at' | 'price' | 'source' | 'sequence', string | undefined>;

async function store(rows: Row[]): Promise<void> {
  const values = (['symbol', 'source', 'at', 'sequence', 'price'] as const).map((name) => rows.map((row) => row[name]));
  await pool.query('select ensure_price_feed_partitions($1::timestamptz[])', [[rows[0]?.at]]);
  const set = 'unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::numeric[])';
  await pool.query(
    `with kept as (
       insert into price_feeds (symbol, source, timestamp, sequence, price) select * from ${set} on conflict do nothing)
     insert into tickers as kept (symbol, source, timestamp, sequence, last_price)
     select distinct on (s) s, src, at, seq, price from ${set} as new(s, src, at, seq, price) order by s, at desc, seq desc
     on conflict (symbol) do update set source = excluded.source, timestamp = excluded.timestamp,
            sequence = excluded.sequence, last_price = excluded.last_price`,
    values,
  );
  for (const { symbol, price } of rows) stored.arrive(symbol ?? '', Number(price));
}
void follow();
void archive();

async function ingest(price: Price): Promise<void> {
  const answer = await execute({ schema, document: INGEST, rootValue, variableValues: { price } });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
}

answerParent({ call: (calling: Calling): Promise<Called> => call(calling, ingest, { heard, stored }) });
