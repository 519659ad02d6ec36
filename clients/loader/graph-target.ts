/** Where the loader sends to: a graph that runs, or the market-data subgraph in this process on the database. */
import { type DocumentNode, parse } from 'graphql';
import type { Config } from '../../platform/config.ts';
import { environmentPrefix } from '../../platform/domains.ts';
import { createGraphClient, type GraphClient, type GraphTransport } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import type { Process } from '../../platform/process.ts';
import { single } from '../../platform/streams.ts';
import { startSubgraph } from '../../platform/subgraph.ts';
import { openPostgres } from '../../prisma/open.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { marketData } from '../../subgraphs/market-data/index.ts';

export interface GraphTarget {
  graph: GraphClient;
  /** For the person: "the graph at http://…". */
  name: string;
}

const PROBE_TIMEOUT_MS = 3_000; // 3 seconds: a graph on this machine answers at once
const BATCH_TIMEOUT_MS = 120_000; // two minutes: a batch takes a second, a busy machine longer

/**
 * The graph at `url`; without one the graph that answers at the configured port, else the subgraph in this process.
 * @throws Error when `url` is given and no graph answers there
 */
export async function reachGraph(
  url: string | undefined,
  config: Config,
  log: Logger,
  process: Process,
): Promise<GraphTarget> {
  if (url !== undefined) {
    const answer = await probe(url);
    if (answer !== 'graph') {
      throw new Error(
        answer === 'nothing' ? `Nothing answers at ${url}.` : `What answers at ${url} is not this graph.`,
      );
    }
    return atUrl(url);
  }
  const local = `http://127.0.0.1:${config.port}/graphql`;
  return (await probe(local)) === 'graph' ? atUrl(local) : inThisProcess(config, log, process);
}

function atUrl(url: string): GraphTarget {
  return { name: `the graph at ${url}`, graph: createGraphClient(httpTransport(url, BATCH_TIMEOUT_MS)) };
}

/** Asks something that only this graph knows. */
async function probe(url: string): Promise<'graph' | 'other' | 'nothing'> {
  try {
    const send = httpTransport(url, PROBE_TIMEOUT_MS);
    const { data, errors = [] } = await send('{ assets(first: 1) { nodes { code } } }', {}, {});
    const isDown = errors.some(({ extensions }) => extensions?.code === 'DOMAIN_UNAVAILABLE');
    return isDown || (data as { assets?: unknown } | null | undefined)?.assets ? 'graph' : 'other';
  } catch (error) {
    return error instanceof NoAnswer ? 'nothing' : 'other';
  }
}

class NoAnswer extends Error {}

function httpTransport(url: string, timeoutMs: number): GraphTransport {
  return async (query, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: Error) => {
      throw new NoAnswer(`The graph at ${url} does not answer any more: ${causeOf(error)}.`, { cause: error });
    });
    const text = await response.text();
    try {
      return JSON.parse(text) as Awaited<ReturnType<GraphTransport>>;
    } catch {
      throw new Error(`The graph at ${url} answered with status ${response.status} and no JSON.`);
    }
  };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}

async function inThisProcess(config: Config, log: Logger, process: Process): Promise<GraphTarget> {
  const { name } = marketData;
  const ownUrl = config.environment[`${environmentPrefix(name)}_DATABASE_URL`];
  const databaseUrl = ownUrl ?? domainUrl((await openPostgres(config, log, process)).url, name, config.environment);
  const documents = new Map<string, DocumentNode>();
  const graph = createGraphClient(async (text, variables) => {
    const document = documents.get(text) ?? parse(text);
    documents.set(text, document);
    return single(await subgraph.execute({ document, variables, headers: {} }));
  });
  const { instances, databasePoolSize: poolSize } = config;
  const subgraph = startSubgraph(marketData, { databaseUrl, instance: instances[name], poolSize, graph, log });
  process.onStop(() => subgraph.close());
  return { graph, name: config.databaseUrl || ownUrl ? 'the database' : `the database in ${config.dataDir}` };
}
