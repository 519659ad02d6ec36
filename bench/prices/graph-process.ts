/** Market data as the graph runs it, with shared transactions or a transaction a call. */
import { parse } from 'graphql';
import { createLogger } from '../../platform/log.ts';
import { startSubgraph } from '../../platform/subgraph.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { marketData } from '../../subgraphs/market-data/index.ts';
import { createPriceWriter } from '../../subgraphs/market-data/price-writer.ts';
import { startMarketData } from '../../subgraphs/market-data/service.ts';
import { answerParent, roleOfThisProcess } from '../live/processes.ts';
import { type Called, type Calling, call, Outstanding, type Price } from './callers.ts';
import { INSTRUMENTS, symbolOf } from './database.ts';

export interface GraphRole {
  databaseUrl: string;
  redisUrl: string;
  isShared: boolean;
}

const { databaseUrl, redisUrl, isShared } = roleOfThisProcess<GraphRole>();
const start: typeof startMarketData = (parts) => {
  const service = startMarketData(parts);
  return isShared ? service : { ...service, prices: createPriceWriter(0) };
};
const subgraph = startSubgraph(
  { ...marketData, start },
  {
    databaseUrl: domainUrl(databaseUrl, 'market-data'),
    redisUrl,
    graph: {
      request: () => Promise.reject(new Error('alone')),
      subscribe: () => Promise.reject(new Error('alone')) as never,
    },
    log: createLogger({ level: 'error', service: 'bench' }),
  },
);
await subgraph.feed.ready();

const INGEST = parse(
  `mutation I($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted errors { message } } }`,
);
const FOLLOW = parse(`subscription F($symbols: [String!]!) {
  priceChanges(symbols: $symbols, minIntervalMs: 0) { kind ticker { lastPrice instrument { symbol } } }
}`);

const heard = new Outstanding();
const stored = new Outstanding();

async function follow(): Promise<void> {
  const symbols = Array.from({ length: INSTRUMENTS }, (_, n) => symbolOf(n));
  const events = await subgraph.execute({ document: FOLLOW, variables: { symbols }, headers: {} });
  if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
  for await (const { data } of events) {
    const { ticker } = (
      data as { priceChanges: { ticker: { lastPrice: string; instrument: { symbol: string } } | null } }
    ).priceChanges;
    if (ticker) heard.arrive(ticker.instrument.symbol, Number(ticker.lastPrice));
  }
}
void follow();

/** Answered is stored. */
async function ingest(price: Price): Promise<void> {
  const answer = await subgraph.execute({ document: INGEST, variables: { input: { prices: [price] } }, headers: {} });
  if (!('data' in answer) || (answer.data as { ingestPrices: { accepted: number } }).ingestPrices.accepted !== 1) {
    throw new Error(JSON.stringify(answer));
  }
  stored.arrive(price.symbol, Number(price.price));
}

const methods = { call: (calling: Calling): Promise<Called> => call(calling, ingest, { heard, stored }) };
export type PriceMethods = typeof methods;
answerParent(methods);
