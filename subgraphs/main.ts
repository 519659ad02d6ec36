/** `npm run start:subgraph -- trading`: one subgraph as a process of its own. */
import { createAccess, serviceAuthorization } from '../platform/access.ts';
import { readConfig } from '../platform/config.ts';
import { DEFAULT_PORTS, DOMAINS } from '../platform/domains.ts';
import { createGraphClient, httpTransport, webSocketTransport } from '../platform/graph-client.ts';
import { createLogger } from '../platform/log.ts';
import { runMain } from '../platform/process.ts';
import { placeOf, register, serviceOf } from '../platform/registration.ts';
import { startSubgraph } from '../platform/subgraph.ts';
import { serveSubgraph } from '../platform/subgraph-server.ts';
import { openDomain } from '../prisma/open.ts';
import { subgraphs } from './all.ts';

await runMain(async (process) => {
  const config = readConfig();
  const definition = subgraphs.find(({ name }) => name === process.argv[0]);
  if (!definition) throw new Error(`Name one subgraph: ${DOMAINS.join(', ')}.`);
  const { name } = definition;
  const log = createLogger({ level: config.logLevel, service: name });

  const databaseUrl = await openDomain(name, config, log, process);
  const authorization = serviceAuthorization(config.access);
  const graph = createGraphClient(
    httpTransport(config.gatewayUrl),
    webSocketTransport(config.gatewayUrl, authorization),
    authorization,
  );
  const subgraph = startSubgraph(definition, {
    databaseUrl,
    instance: config.instances[name],
    poolSize: config.databasePoolSize,
    redisUrl: config.redisUrls[name],
    dataDir: config.dataDir,
    cacheBytes: config.cacheBytes,
    retention: config.retention,
    isChaosOn: config.isChaosOn,
    access: createAccess(config.access),
    graph,
    log,
  });
  process.onStop(() => subgraph.close());

  const port = Number(config.environment.PORT ?? DEFAULT_PORTS[name]);
  const server = await serveSubgraph(subgraph, { port, host: config.host });
  process.onStop(() => server.close());
  const place = placeOf({ host: config.host, port: Number(new URL(server.url).port) }, config.environment);
  const registration = register({ graph, services: [serviceOf(subgraph)], place, log });
  process.onStop(() => registration.stop());
  process.print(`The ${name} subgraph answers at ${server.url}`);
});
