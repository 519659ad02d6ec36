/**
 * `npm start`: the whole graph in one process. `npm run start:gateway` (`--remote`): the gateway alone, with every
 * subgraph a process of its own.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSimulator } from '../clients/simulator/simulator.ts';
import { createAccess, serviceAuthorization } from '../platform/access.ts';
import { type Config, readConfig } from '../platform/config.ts';
import { createGraphClient, type GraphClient } from '../platform/graph-client.ts';
import { createLogger, type Logger } from '../platform/log.ts';
import { type Process, runMain } from '../platform/process.ts';
import { placeOf, register, serviceOf } from '../platform/registration.ts';
import { readTypeDefs, type Subgraph, startSubgraph } from '../platform/subgraph.ts';
import { loadDemo } from '../prisma/demo/demo.ts';
import { openPostgres } from '../prisma/open.ts';
import { domainUrl } from '../prisma/roles.ts';
import { subgraphs } from '../subgraphs/all.ts';
import { createGateway, type Gateway, type GatewaySubgraph } from './gateway.ts';

await runMain(async (process) => {
  const config = readConfig();
  const log = createLogger({ level: config.logLevel, service: 'gateway' });
  const remote = process.argv.includes('--remote');
  const { gateway, running } = remote ? await overRemoteSubgraphs(config, log) : await allInOne(config, log, process);
  const port = await serve(gateway, config, process);
  const registration = register({
    graph: graphOf(config, () => gateway),
    services: [{ name: 'gateway' }, ...running.map(serviceOf)],
    place: placeOf({ host: config.host, port }, config.environment),
    log,
  });
  process.onStop(() => registration.stop());
});

/** The graph of a gateway in this process, which need not be there yet. */
function graphOf(config: Config, gateway: () => Gateway): GraphClient {
  return createGraphClient(
    (document, variables, headers) => gateway().execute(document, variables, { headers }),
    (document, variables, headers) => gateway().subscribe(document, variables, { headers }),
    serviceAuthorization(config.access),
  );
}

interface Started {
  gateway: Gateway;
  /** The subgraphs of this process. */
  running: Subgraph[];
}

/** Every subgraph in this process, on the database of the settings, with the demo loaded. */
async function allInOne(config: Config, log: Logger, process: Process): Promise<Started> {
  const { url } = await openPostgres(config, log, process);
  const graph = graphOf(config, () => gateway);
  const access = createAccess(config.access); // one for all: it fetches an issuer's keys
  const running = subgraphs.map((definition) =>
    startSubgraph(definition, {
      databaseUrl: domainUrl(url, definition.name, config.environment),
      instance: config.instances[definition.name],
      poolSize: config.databasePoolSize,
      redisUrl: config.redisUrls[definition.name],
      dataDir: config.dataDir,
      cacheBytes: config.cacheBytes,
      retention: config.retention,
      isChaosOn: config.isChaosOn,
      access,
      graph,
      log,
    }),
  );
  process.onStop(async () => {
    await Promise.all(running.map((subgraph) => subgraph.close()));
  });
  const gateway = await createGateway({ subgraphs: running, log, production: config.production });
  const hasDemo = !process.argv.includes('--no-demo');
  if (hasDemo && new Set(Object.values(config.instances)).size > 1) {
    // The demo's orders go through its own exchange: another engine's are there already where that is shared.
    log.info('the demo is not loaded: it needs all domains to be of one instance');
  } else if (hasDemo) {
    await loadDemo(graph, log);
    if (!process.argv.includes('--no-simulator')) {
      const simulator = startSimulator({ graph, log });
      process.onStop(() => simulator.stop());
    }
  }
  return { gateway, running };
}

async function overRemoteSubgraphs(config: Config, log: Logger): Promise<Started> {
  const remote = subgraphs.map(
    (definition): GatewaySubgraph => ({
      name: definition.name,
      sdl: readTypeDefs(definition),
      exportKinds: (definition.exports ?? []).map(({ name }) => name),
      url: config.subgraphUrls[definition.name],
    }),
  );
  return { gateway: await createGateway({ subgraphs: remote, log, production: config.production }), running: [] };
}

/** Gives the port it listens on. */
async function serve(gateway: Gateway, config: Config, process: Process): Promise<number> {
  const server = createServer(gateway.handler);
  gateway.attachWebSocket(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`Port ${config.port} is taken. Stop what uses it, or set PORT.`) : error);
    });
    server.listen(config.port, config.host, resolve);
  });
  process.onStop(async () => {
    await gateway.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  process.print(`The graph answers at ${origin}/graphql (open it in a browser for the explorer; Ctrl-C stops it).`);
  return port;
}
