/** What every service discovery promises (domain.md §1.14), whichever store it is kept in. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryServices } from '../../../platform/repositories/memory-services.ts';
import { redisServices } from '../../../platform/repositories/redis-services.ts';
import {
  SERVICE_LIMIT,
  type ServiceDiscoveryRepository,
  type ServiceRegistration,
} from '../../../platform/repositories/service-discovery.ts';
import { connection, type Store, startStore, withUser } from './backends.ts';

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const START = Date.parse('2026-01-01T00:00:00Z');
let clock = START;
const now = () => clock;
const at = (ms: number) => new Date(START + ms).toISOString();

const trading: ServiceRegistration = {
  serviceId: 'trading-1',
  serviceName: 'trading',
  version: '1.0.0',
  host: '10.0.0.1',
  grpcPort: null,
  httpPort: 4003,
  metadata: {},
};
const numbered = (number: number) => ({ ...trading, serviceId: `trading-${number}` });

const BACKENDS: [string, (ttlMs?: number) => ServiceDiscoveryRepository][] = [
  ['in Redis', (ttlMs) => redisServices({ redis: store.redis, prefix: 'registry:', now, ...(ttlMs && { ttlMs }) })],
  // Expires by the system's clock, as Redis does.
  ['in memory', (ttlMs) => memoryServices(ttlMs ? { ttlMs } : { now })],
];

describe.each(BACKENDS)('service discovery %s', (_, create) => {
  let services: ServiceDiscoveryRepository;
  beforeEach(async () => {
    clock = START;
    await store.server.command('FLUSHALL');
    services = create();
  });

  it('keeps a service as it registered, healthy unless it says otherwise', async () => {
    const metadata = { zone: 'a', empty: '' };
    const kept = { ...trading, metadata, status: 'healthy', lastSeen: at(0), registeredAt: at(0) };
    expect(await services.register({ ...trading, metadata })).toEqual(kept);
    expect(await services.getServiceById('trading-1')).toEqual(kept);
    expect(await services.register({ ...numbered(2), status: 'degraded' })).toMatchObject({ status: 'degraded' });
    expect(await services.getServiceCount()).toBe(2);
  });

  it('replaces what registers again, and remembers since when it is there', async () => {
    await services.register({ ...trading, metadata: { zone: 'a' }, status: 'unhealthy' });
    clock += 5_000;
    await services.register({ ...trading, version: '2.0.0' });
    expect(await services.listServices()).toEqual([
      { ...trading, version: '2.0.0', status: 'healthy', lastSeen: at(5_000), registeredAt: at(0) },
    ]);
  });

  it('removes a service once', async () => {
    await services.register(trading);
    expect(await services.deregister('trading-1')).toMatchObject({ serviceId: 'trading-1', status: 'healthy' });
    expect(await services.deregister('trading-1')).toBeNull();
    expect(await services.getServiceById('trading-1')).toBeNull();
    expect(await services.listServices()).toEqual([]);
    clock += 1_000;
    expect(await services.register(trading)).toMatchObject({ registeredAt: at(1_000) });
  });

  it('takes heartbeats and states of what is there only', async () => {
    await services.register(trading);
    clock += 30_000;
    expect(await services.updateHeartbeat('trading-1')).toMatchObject({ lastSeen: at(30_000), registeredAt: at(0) });
    expect(await services.updateStatus('trading-1', 'degraded')).toMatchObject({
      status: 'degraded',
      lastSeen: at(30_000),
    });
    expect(await services.updateHeartbeat('trading-1')).toMatchObject({ status: 'degraded' });
    expect(await services.updateHeartbeat('nobody')).toBeNull();
    expect(await services.updateStatus('nobody', 'healthy')).toBeNull();
    expect(await services.listServices()).toHaveLength(1);
  });

  it('lists by name and then by id', async () => {
    await services.register(numbered(2));
    await services.register({ ...trading, serviceId: 'z', serviceName: 'exchange' });
    await services.register(numbered(1));
    const ids = async (listed: ReturnType<typeof services.listServices>) =>
      (await listed).map(({ serviceId }) => serviceId);
    expect(await ids(services.listServices())).toEqual(['z', 'trading-1', 'trading-2']);
    expect(await ids(services.listServicesByName('trading'))).toEqual(['trading-1', 'trading-2']);
    expect(await ids(services.listServicesByName('tradin'))).toEqual([]);
  });

  it('takes for healthy what says so and was heard of within the threshold', async () => {
    await services.register(numbered(1));
    await services.register({ ...numbered(2), status: 'degraded' });
    clock += 60_000;
    await services.register(numbered(3));
    const healthy = async (thresholdMs?: number) =>
      (await services.listHealthyServices(thresholdMs)).map(({ serviceId }) => serviceId);
    expect(await healthy()).toEqual(['trading-1', 'trading-3']);
    expect(await healthy(59_999)).toEqual(['trading-3']);
    expect(await services.isServiceHealthy('trading-1', 60_000)).toBe(true);
    expect(await services.isServiceHealthy('trading-1', 59_999)).toBe(false);
    expect(await services.isServiceHealthy('trading-2')).toBe(false);
    expect(await services.isServiceHealthy('nobody')).toBe(false);
  });

  it('gives of a name the healthy one that was heard of last', async () => {
    await services.register(numbered(1));
    clock += 1_000;
    await services.register(numbered(2));
    clock += 1_000;
    await services.register({ ...numbered(3), status: 'unhealthy' });
    expect(await services.getService('trading')).toMatchObject({ serviceId: 'trading-2' });
    await services.updateHeartbeat('trading-1');
    expect(await services.getService('trading')).toMatchObject({ serviceId: 'trading-1' });
    expect(await services.getService('exchange')).toBeNull();
    clock += 60_001;
    expect(await services.getService('trading')).toBeNull();
  });

  it('cleans up what has been silent for longer, and counts it', async () => {
    await services.register(numbered(1));
    clock += 1;
    await services.register(numbered(2));
    clock += 50_000;
    expect(await services.cleanupStaleServices(50_000)).toBe(1);
    expect((await services.listServices()).map(({ serviceId }) => serviceId)).toEqual(['trading-2']);
    expect(await services.cleanupStaleServices()).toBe(0);
  });

  it('lets go what sends no heartbeat, for every operation', async () => {
    services = create(200);
    clock = Date.now();
    await services.register(numbered(1));
    await services.register(numbered(2));
    await vi.waitFor(
      async () => {
        await services.updateHeartbeat('trading-2');
        expect(await services.getServiceById('trading-1')).toBeNull();
      },
      { timeout: 30_000, interval: 20 },
    );
    expect(await services.updateHeartbeat('trading-1')).toBeNull();
    expect(await services.updateStatus('trading-1', 'healthy')).toBeNull();
    expect(await services.deregister('trading-1')).toBeNull();
    expect((await services.listServices()).map(({ serviceId }) => serviceId)).not.toContain('trading-1');
  });

  it('keeps so many and refuses the next, until one has gone', async () => {
    for (let number = 0; number < SERVICE_LIMIT; number++) await services.register(numbered(number));
    await expect(services.register({ ...trading, serviceId: 'one-more' })).rejects.toThrow('1000 services already');
    await services.register({ ...numbered(7), version: '2.0.0' });
    await services.deregister('trading-8');
    await services.register({ ...trading, serviceId: 'one-more' });
    expect(await services.getServiceCount()).toBe(SERVICE_LIMIT);
  });

  it('leaves no part of a service whose heartbeat and end come at once', async () => {
    for (let round = 0; round < 100; round++) {
      await services.register(trading);
      await Promise.all([
        services.updateHeartbeat('trading-1'),
        services.deregister('trading-1'),
        services.updateHeartbeat('trading-1'),
        services.updateStatus('trading-1', 'degraded'),
      ]);
      expect(await services.getServiceById('trading-1')).toBeNull();
      expect(await services.listServices()).toEqual([]);
    }
    expect(await store.server.command('DBSIZE')).toBe(':0');
  });

  it('loses neither a state nor a heartbeat that come at once', async () => {
    await services.register(trading);
    for (let round = 1; round <= 100; round++) {
      clock += 1_000;
      const status = round % 2 === 0 ? 'healthy' : 'degraded';
      await Promise.all([services.updateStatus('trading-1', status), services.updateHeartbeat('trading-1')]);
      expect(await services.getServiceById('trading-1')).toMatchObject({ status, lastSeen: at(round * 1_000) });
    }
  });
});

describe('service discovery in Redis', () => {
  it('is one for every process, and loses nothing of those that act at once', async () => {
    const others = await Promise.all([connection(store.server.url), connection(store.server.url)]);
    const [one, two] = others.map((redis) => redisServices({ redis, prefix: 'registry:', now })) as [
      ServiceDiscoveryRepository,
      ServiceDiscoveryRepository,
    ];
    for (let round = 0; round < 100; round++) {
      await one.register(trading);
      await Promise.all([one.updateHeartbeat('trading-1'), two.deregister('trading-1'), one.listServices()]);
      expect(await two.listServices()).toEqual([]);
      expect(await store.server.command('EXISTS', 'registry:service:trading-1', 'registry:services')).toBe(':0');
    }
    for (const redis of others) redis.disconnect();
  });

  it('touches no key but its own, and needs no command that a domain may not use', async () => {
    await store.server.command('SET', 'service:trading-1', 'foreign');
    await store.server.command(...'ACL SETUSER registry on >secret ~registry:* +@read +@write +@keyspace'.split(' '));
    await store.server.command(...'ACL SETUSER registry +@connection +@transaction +@scripting -@dangerous'.split(' '));
    const redis = await connection(withUser(store.server.url, 'registry'));
    const services = redisServices({ redis, prefix: 'registry:', now });
    await services.register(trading);
    await services.updateHeartbeat('trading-1');
    await services.updateStatus('trading-1', 'degraded');
    expect(await services.listServices()).toHaveLength(1);
    expect(await services.cleanupStaleServices(-1)).toBe(1);
    expect(await services.deregister('trading-1')).toBeNull();
    expect(await store.server.command('EXISTS', 'service:trading-1')).toBe(':1');
    redis.disconnect();
  });
});
