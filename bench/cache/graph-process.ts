/** The whole graph in one process, with as much of the cache as its parent wants. */
import { createGateway } from '../../gateway/gateway.ts';
import { createGraphClient } from '../../platform/graph-client.ts';
import { createLogger } from '../../platform/log.ts';
import { startSubgraph } from '../../platform/subgraph.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { subgraphs as definitions } from '../../subgraphs/all.ts';
import { answerParent, roleOfThisProcess } from '../live/processes.ts';
import { PORTFOLIO, variablesOf } from './portfolio.ts';
import { type Asked, keepAsking, measureRequests, type Requests } from './requests.ts';

export interface GraphRole {
  databaseUrl: string;
  redisUrl?: string;
  cacheBytes?: number;
}

/** Several graphs start at once, on a machine that may have other things to do. */
const START_TIMEOUT_MS = 60_000; // a minute

const { databaseUrl, redisUrl, cacheBytes } = roleOfThisProcess<GraphRole>();
const log = createLogger({ level: 'error', service: 'bench' });

const graph = createGraphClient((document, variables) => gateway.execute(document, variables));
const subgraphs = definitions.map((definition) => {
  const databaseUrlOf = domainUrl(databaseUrl, definition.name);
  return startSubgraph(definition, { databaseUrl: databaseUrlOf, graph, log, redisUrl, cacheBytes });
});
const gateway = await createGateway({ subgraphs, log, production: true });
const begun = await Promise.all(subgraphs.map(({ feed }) => feed.hub.reached(START_TIMEOUT_MS)));
if (begun.includes(false)) throw new Error('The graph has not begun within a minute');

const ask = async (nth: number) => JSON.stringify(await gateway.execute(PORTFOLIO, variablesOf(nth)));

/** Of all subgraphs since the start. */
function counts() {
  const sum = { statements: 0, hits: 0, reads: 0 };
  for (const { statements, cache } of subgraphs) {
    const { processHits, redisHits, misses, bypasses } = cache.statistics();
    sum.statements += statements();
    sum.hits += processHits + redisHits;
    sum.reads += processHits + redisHits + misses + bypasses;
  }
  return sum;
}

const methods = {
  answer: ask,
  measure: (requests: Requests): Promise<Asked> => measureRequests(requests, ask, counts),
  keepAsking: (asking: { seconds: number; perSecond: number }): Promise<Asked> => keepAsking(asking, ask, counts),
};
export type ServerMethods = typeof methods;
answerParent(methods);
