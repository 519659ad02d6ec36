/** The whole graph in one process, as `npm start` runs it, which tells its parent what it uses. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '../../gateway/gateway.ts';
import { createGraphClient } from '../../platform/graph-client.ts';
import { createLogger } from '../../platform/log.ts';
import { type Subgraph, startSubgraph } from '../../platform/subgraph.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { subgraphs as definitions } from '../../subgraphs/all.ts';
import { answerParent, roleOfThisProcess } from './processes.ts';
import { usage, usageAfterCollection } from './usage.ts';

export interface GraphRole {
  databaseUrl: string;
}

const { databaseUrl } = roleOfThisProcess<GraphRole>();
const log = createLogger({ level: 'error', service: 'bench' });
const calls: Record<string, number> = {};

const graph = createGraphClient(
  (document, variables) => gateway.execute(document, variables),
  (document, variables) => gateway.subscribe(document, variables),
);
const subgraphs = definitions.map((definition) =>
  counted(startSubgraph(definition, { databaseUrl: domainUrl(databaseUrl, definition.name), graph, log })),
);
const gateway = await createGateway({ subgraphs, log, production: true });
const server = createServer(gateway.handler);
gateway.attachWebSocket(server);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

function counted(subgraph: Subgraph): Subgraph {
  const { name, execute } = subgraph;
  calls[name] = 0;
  return {
    ...subgraph,
    execute(request) {
      calls[name] = (calls[name] ?? 0) + 1;
      return execute(request);
    },
  };
}

const methods = {
  url: () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
  usage,
  usageAfterCollection,
  /** Calls of the gateway to each subgraph since the start. */
  calls: () => ({ ...calls }),
};
export type ServerMethods = typeof methods;
answerParent(methods);
