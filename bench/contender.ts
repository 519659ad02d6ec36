/**
 * One process of the benchmark: a gateway, ours or Apollo's, with its subgraphs in the process or elsewhere; or the
 * subgraphs alone. It tells its parent when it is ready, and what CPU it has used when it is asked.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloGateway, type GraphQLDataSource, type GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
} from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { type DocumentNode, parse } from 'graphql';
import { composeSupergraph } from '../gateway/compose.ts';
import { createGateway, type GatewaySubgraph } from '../gateway/gateway.ts';
import type { LocalSubgraph } from '../gateway/transport/local.ts';
import { createLogger } from '../platform/log.ts';
import type { Subgraph } from '../platform/subgraph.ts';
import { serveSubgraph } from '../platform/subgraph-server.ts';
import { measure, type Sample } from './measure.ts';
import { portfolioRequest } from './portfolio.ts';
import { openSubgraphs, type Source } from './subgraphs.ts';

export interface Role {
  what: 'ours' | 'apollo' | 'subgraphs';
  source: Source;
  /** Where the subgraphs are, if not in this process. */
  urls?: Record<string, string>;
}

export type Question = { usage: true } | { run: { requests: number; subgraphsAlone: boolean } };
export type Reply =
  | { ready: { port?: number; urls?: Record<string, string> } }
  | { cpuMs: number }
  | { sample: Sample };

const log = createLogger({ level: 'error', service: 'bench' });
const HOST = '127.0.0.1';

/** What Apollo calls a local data source, with each document parsed once. */
class InProcess implements GraphQLDataSource {
  readonly #documents = new Map<string, DocumentNode>();
  readonly #subgraph: LocalSubgraph;

  constructor(subgraph: LocalSubgraph | undefined) {
    if (!subgraph) throw new Error('The supergraph names a subgraph that is not there');
    this.#subgraph = subgraph;
  }

  async process({ request }: GraphQLDataSourceProcessOptions) {
    const { query = '', variables, operationName } = request;
    const document = this.#documents.get(query) ?? parse(query);
    this.#documents.set(query, document);
    return this.#subgraph.execute({ document, variables, operationName, headers: {} }) as never;
  }
}

const role = JSON.parse(process.argv[2] ?? '') as Role;
const local = openSubgraphs(role.source);
let ask: (n: number) => Promise<unknown> = () => Promise.reject(new Error('There is no gateway here'));

const ready = role.what === 'subgraphs' ? await serveSubgraphs() : role.what === 'ours' ? await ours() : await apollo();
process.on('message', (question: Question) => void reply(question));
process.on('disconnect', () => process.exit());
send({ ready });

function send(message: Reply): void {
  process.send?.(message);
}

async function reply(question: Question): Promise<void> {
  if ('run' in question) {
    const { requests, subgraphsAlone } = question.run;
    send({ sample: await measure(requests, subgraphsAlone ? await fetchesAlone() : ask) });
  } else {
    const { user, system } = process.cpuUsage();
    send({ cpuMs: (user + system) / 1000 });
  }
}

/** What a portfolio makes the gateway ask the subgraphs, asked without it: the part of the cost that no gateway has. */
async function fetchesAlone(): Promise<() => Promise<unknown>> {
  const fetches: (() => Promise<unknown>)[] = [];
  const restore = local.map((subgraph) => {
    const { execute } = subgraph;
    subgraph.execute = (request) => {
      fetches.push(() => execute(request));
      return execute(request);
    };
    return () => Object.assign(subgraph, { execute });
  });
  await ask(0);
  for (const one of restore) one();
  return async () => {
    for (const fetch of fetches) await fetch();
  };
}

async function serveSubgraphs() {
  const served = await Promise.all(
    local.map(async (subgraph) => {
      const { url } = await serveSubgraph(servable(subgraph), { port: 0, host: HOST });
      return [subgraph.name, url] as const;
    }),
  );
  return { urls: Object.fromEntries(served) };
}

/** A toy has no context and no statements to count. */
function servable(subgraph: LocalSubgraph): Subgraph {
  return { createContext: () => ({ domain: subgraph.name, requestId: '', log }), ...subgraph } as unknown as Subgraph;
}

async function ours() {
  const subgraphs = local.map((subgraph): GatewaySubgraph => {
    const url = role.urls?.[subgraph.name];
    return url === undefined ? subgraph : { name: subgraph.name, sdl: subgraph.sdl, url };
  });
  const gateway = await createGateway({ subgraphs, log, production: true });
  ask = async (n) => {
    const { query, variables } = portfolioRequest(role.source, n);
    return JSON.stringify(await gateway.execute(query, variables && { ...variables }));
  };
  return listen(createServer(gateway.handler));
}

async function apollo() {
  const { supergraphSdl } = composeSupergraph(
    local.map(({ name, sdl }) => ({ name, sdl, ...(role.urls?.[name] && { url: role.urls[name] }) })),
  );
  const gateway = new ApolloGateway({
    supergraphSdl,
    ...(!role.urls && { buildService: ({ name }) => new InProcess(local.find((subgraph) => subgraph.name === name)) }),
  });
  const server = new ApolloServer({
    gateway,
    includeStacktraceInErrorResponses: false,
    plugins: [ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginCacheControlDisabled()],
  });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: HOST } });
  ask = async (n) => {
    const { body } = await server.executeOperation(portfolioRequest(role.source, n));
    return JSON.stringify(body.kind === 'single' && body.singleResult);
  };
  return { port: Number(new URL(url).port) };
}

function listen(server: Server): Promise<{ port: number }> {
  return new Promise((resolve) => {
    server.listen(0, HOST, () => resolve({ port: (server.address() as AddressInfo).port }));
  });
}
