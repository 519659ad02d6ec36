/** The graph that a scenario runs in: one that answers, or one of its own that leaves nothing behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateway, type Gateway } from '../../gateway/gateway.ts';
import { serviceAuthorization } from '../../platform/access.ts';
import { type Config, readConfig } from '../../platform/config.ts';
import { createGraphClient, type GraphClient, httpTransport } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import type { Process } from '../../platform/process.ts';
import { placeOf, register, serviceOf } from '../../platform/registration.ts';
import { startSubgraph } from '../../platform/subgraph.ts';
import { openPostgres } from '../../prisma/open.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { subgraphs } from '../../subgraphs/all.ts';

export interface ScenarioPlace {
  graph: GraphClient;
  /** For the person: "the graph at http://…". */
  name: string;
}

/** @throws Error when `url` is given and no graph answers there */
export async function findPlace(url: string | undefined, log: Logger, life: Process): Promise<ScenarioPlace> {
  const config = readConfig();
  const wanted = url ?? config.gatewayUrl;
  const graph = createGraphClient(httpTransport(wanted), undefined, serviceAuthorization(config.access));
  if (await answers(graph)) return { graph, name: `the graph at ${wanted}` };
  if (url !== undefined) throw new Error(`No graph that coordinates tests answers at ${url}.`);
  return ownGraph(log, life);
}

function answers(graph: GraphClient): Promise<boolean> {
  return graph.request<{ scenarios: object | null }>('{ scenarios(first: 1) { nodes { scenarioId } } }').then(
    ({ scenarios }) => scenarios !== null,
    () => false,
  );
}

/** What the settings say of databases is not for a graph that is thrown away. */
function ownConfig(dataDir: string): Config {
  const own = Object.entries(process.env).filter(([name]) => !/DATABASE_URL$|REDIS_URL$|^AUTH_|INSTANCE$/.test(name));
  return readConfig({ ...Object.fromEntries(own), DATA_DIR: dataDir, POSTGRES_PORT: '0' });
}

/** All domains in this process, on a database in a temporary folder. */
async function ownGraph(log: Logger, life: Process): Promise<ScenarioPlace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-scenario-'));
  life.onStop(() => rm(dataDir, { recursive: true, force: true }));
  const config = ownConfig(dataDir);
  const { url } = await openPostgres(config, log, life);
  const made: { gateway?: Gateway } = {};
  const gateway = () => {
    if (!made.gateway) throw new Error('the graph is not there yet');
    return made.gateway;
  };
  const graph = createGraphClient(
    async (document, variables, headers) => gateway().execute(document, variables, { headers }),
    (document, variables, headers) => gateway().subscribe(document, variables, { headers }),
  );
  const running = subgraphs.map((definition) =>
    startSubgraph(definition, {
      databaseUrl: domainUrl(url, definition.name, config.environment),
      poolSize: 5,
      dataDir,
      isChaosOn: true,
      graph,
      log,
    }),
  );
  life.onStop(async () => {
    await Promise.all(running.map((subgraph) => subgraph.close()));
  });
  const own = await createGateway({ subgraphs: running, log });
  made.gateway = own;
  life.onStop(() => own.close());
  const registration = register({
    graph,
    services: running.map(serviceOf),
    place: placeOf({ host: '127.0.0.1', port: 1 }, config.environment),
    log,
  });
  life.onStop(() => registration.stop());
  return { graph, name: 'a graph of its own' };
}
