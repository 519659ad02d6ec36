/** The subgraphs that both gateways are measured over: answering from memory, or real ones on a database. */
import { createGateway } from '../gateway/gateway.ts';
import type { LocalSubgraph } from '../gateway/transport/local.ts';
import { createGraphClient, type GraphClient } from '../platform/graph-client.ts';
import { createLogger } from '../platform/log.ts';
import { startSubgraph } from '../platform/subgraph.ts';
import { loadDemo } from '../prisma/demo/demo.ts';
import { domainUrl } from '../prisma/roles.ts';
import { subgraphs as definitions } from '../subgraphs/all.ts';
import { createToys } from '../test/graph/gateway/toy-subgraphs.ts';

/** "memory", or the administrator's URL of a database that holds the demo. */
export type Source = 'memory' | `postgres${string}`;

const log = createLogger({ level: 'error', service: 'bench' });

export function openSubgraphs(source: Source): LocalSubgraph[] {
  return source === 'memory' ? forgetful() : real(source, unreachable);
}

/** Toys that do not keep what they were asked. */
function forgetful(): LocalSubgraph[] {
  return createToys({ positions: 10, instruments: 5 }).all.map((toy) => ({
    ...toy,
    execute: (request) => {
      toy.requests.length = 0;
      return toy.execute(request);
    },
  }));
}

function real(url: string, graph: GraphClient) {
  return definitions.map((definition) =>
    startSubgraph(definition, { databaseUrl: domainUrl(url, definition.name), graph, log }),
  );
}

/** The query that is measured asks no domain for another's facts. */
const unreachable = createGraphClient(() => Promise.reject(new Error('A subgraph asked the graph')));

/** Fills an empty, migrated database with the demo. */
export async function fillDatabase(url: string): Promise<void> {
  const graph = createGraphClient((document, variables) => gateway.execute(document, variables));
  const running = real(url, graph);
  const gateway = await createGateway({ subgraphs: running, log });
  await loadDemo(graph, log);
  await gateway.close();
  await Promise.all(running.map((subgraph) => subgraph.close()));
}
