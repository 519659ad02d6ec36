/** Processes that register themselves, as an operator starts them; they are killed, and the registry itself is. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createGraphClient, type GraphClient, httpTransport, webSocketTransport } from '../../platform/graph-client.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { copyTemplate } from '../support/databases.ts';
import { freePort, type RunningProcess, startProcess, untilReady } from '../support/processes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Told, watch } from '../support/watch.ts';

const PATIENCE = { timeout: 45_000, interval: 100 };
const CHANGES = 'subscription { serviceChanges(name: "trading") { kind cursor at service { serviceId } } }';

let gateway: RunningProcess;
let graph: GraphClient;
let url: string;
let ports: Record<'registry' | 'trading', number>;

beforeAll(async () => {
  const gatewayPort = await freePort();
  ports = { registry: await freePort(), trading: await freePort() };
  url = `http://127.0.0.1:${gatewayPort}/graphql`;
  graph = createGraphClient(httpTransport(url), webSocketTransport(url));
  gateway = startProcess(['gateway/main.ts', '--remote'], {
    PORT: String(gatewayPort),
    REGISTRY_URL: `http://127.0.0.1:${ports.registry}/graphql`,
    TRADING_URL: `http://127.0.0.1:${ports.trading}/graphql`,
  });
  await untilReady(`http://127.0.0.1:${gatewayPort}/health`, gateway);
});
afterAll(() => gateway?.stop('SIGKILL'));

describe.each(['memory', 'Redis'])('processes that register, known in %s', (store) => {
  let redis: RedisServer | undefined;
  let drop: () => Promise<void>;
  const settings = new Map<string, Record<string, string>>();
  const running = new Map<string, RunningProcess>();

  async function start(domain: string): Promise<void> {
    const own = settings.get(domain) as Record<string, string>;
    const process = startProcess(['subgraphs/main.ts', domain], own);
    running.set(domain, process);
    await untilReady(`http://127.0.0.1:${own.PORT}/ready`, process);
  }

  const names = async () => {
    const { services } = await graph.request<{ services: { name: string }[] }>('{ services { name } }');
    return services.map(({ name }) => name);
  };
  const untilNames = (...expected: string[]) =>
    vi.waitFor(async () => expect(await names()).toEqual(expected), PATIENCE);
  const statusOf = async (domain: string) => {
    const { health } = await graph.request<{ health: { domains: { domain: string; status: string }[] } }>(
      '{ health { domains { domain status } } }',
    );
    return health.domains.find((one) => one.domain === domain)?.status;
  };

  beforeAll(async () => {
    redis = store === 'Redis' ? await startRedis() : undefined;
    const copy = await copyTemplate(inject('adminUrl'));
    drop = copy.drop;
    const common = { GATEWAY_URL: url, REGISTRY_SERVICE_TTL_SECONDS: '3', ...(redis && { REDIS_URL: redis.url }) };
    settings.set('registry', {
      ...common,
      PORT: String(ports.registry),
      REGISTRY_DATABASE_URL: domainUrl(copy.url, 'registry', {}),
    });
    settings.set('trading', {
      ...common,
      PORT: String(ports.trading),
      TRADING_DATABASE_URL: domainUrl(copy.url, 'trading', {}),
    });
    await Promise.all([start('registry'), start('trading')]);
  });
  afterAll(async () => {
    await Promise.all([...running.values()].map((process) => process.stop('SIGKILL')));
    await drop();
    await redis?.stop();
  });

  it('are all there, and healthy', async () => {
    await untilNames('gateway', 'registry', 'trading');
    await vi.waitFor(async () => expect(await statusOf('trading')).toBe('HEALTHY'), PATIENCE);
  });

  it('disappear when they are killed, which is told, and come back', async () => {
    const watcher = watch(graph, 'serviceChanges', CHANGES);
    const of = (kind: string) => (told: Told) => told.kind === kind;
    await watcher.begun();
    await running.get('trading')?.stop('SIGKILL');
    await vi.waitFor(async () => expect(await statusOf('trading')).toBe('UNHEALTHY'), PATIENCE);
    const gone = await watcher.until(of('DELETE'));
    expect(gone.service?.serviceId).toBe(`trading@127.0.0.1:${settings.get('trading')?.PORT}`);
    await untilNames('gateway', 'registry');
    await start('trading');
    await watcher.until(of('UPSERT'));
    await vi.waitFor(async () => expect(await statusOf('trading')).toBe('HEALTHY'), PATIENCE);
    await watcher.leave();
  });

  it('register again with a registry that was killed', async () => {
    const watcher = watch(graph, 'serviceChanges', CHANGES);
    await watcher.begun();
    await running.get('registry')?.stop('SIGKILL');
    await start('registry');
    await untilNames('gateway', 'registry', 'trading');
    await watcher.until(({ kind }) => kind === 'RESYNC');
    await watcher.leave();
  });

  it('say when they end', async () => {
    expect(await running.get('trading')?.stop('SIGTERM')).toBe(0);
    await untilNames('gateway', 'registry');
    expect(await running.get('registry')?.stop('SIGTERM')).toBe(0);
  });
});

it('the gateway ends when it is told to, though its registry is gone', async () => {
  expect(await gateway.stop('SIGTERM')).toBe(0);
});
