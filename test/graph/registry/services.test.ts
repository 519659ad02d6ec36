/** Which processes there are, as they say themselves: kept in the registry's memory, and in Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { ask, done, refused, registration, SERVICE } from './directory.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
let clock = START;
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

describe.each(['memory', 'Redis'])('services in %s', (store) => {
  let redis: RedisServer | undefined;
  let graph: TestGraph;

  beforeAll(async () => {
    redis = store === 'Redis' ? await startRedis() : undefined;
    graph = await startGraph({ now: () => new Date(clock), ...(redis && { redisUrl: redis.url }) });
  });
  afterAll(async () => {
    await graph.close();
    await redis?.stop();
  });
  beforeEach(async () => {
    const { services } = await ask(graph, '{ services { serviceId } }');
    for (const { serviceId } of services) await done(graph, 'deregisterService', { serviceId });
    clock = START;
  });

  const idsOf = async (call: string) =>
    (await ask(graph, `{ it: ${call} { serviceId } }`)).it.map(({ serviceId }: { serviceId: string }) => serviceId);

  it('are known as they registered', async () => {
    const input = registration('risk-1', { grpcPort: 50_051, metadata: { zone: 'a' } });
    const { service, ttlSeconds } = await done(graph, 'registerService', input, `ttlSeconds service { ${SERVICE} }`);
    expect(ttlSeconds).toBe(90);
    expect(service).toEqual({ ...input, status: 'HEALTHY', isHealthy: true, lastSeen: at(0), registeredAt: at(0) });
    const { byId, nobody } = await ask(
      graph,
      `{ byId: serviceById(serviceId: "risk-1") { ${SERVICE} } nobody: serviceById(serviceId: "x") { serviceId } }`,
    );
    expect(byId).toEqual(service);
    expect(nobody).toBeNull();
  });

  it('are replaced by the same at the same place', async () => {
    await done(graph, 'registerService', registration('risk-1', { metadata: { zone: 'a' } }));
    clock += 5_000;
    const again = registration('risk-1', { version: '1.3.0', status: 'DEGRADED' });
    const { service } = await done(graph, 'registerService', again, `service { ${SERVICE} }`);
    expect(service).toMatchObject({ version: '1.3.0', status: 'DEGRADED', metadata: {}, registeredAt: at(0) });
    expect(await idsOf('services')).toEqual(['risk-1']);
  });

  it('are listed, and found by name, as long as they are heard of', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    clock += 1_000;
    await done(graph, 'registerService', registration('risk-2'));
    await done(graph, 'registerService', registration('audit-1', { name: 'audit' }));
    await done(graph, 'setServiceStatus', { serviceId: 'audit-1', status: 'UNHEALTHY' });
    expect(await idsOf('services')).toEqual(['audit-1', 'risk-1', 'risk-2']);
    expect(await idsOf('services(name: "risk")')).toEqual(['risk-1', 'risk-2']);
    expect(await idsOf('services(healthyOnly: true)')).toEqual(['risk-1', 'risk-2']);
    const service = async (name: string) => (await ask(graph, `{ it: service(name: "${name}") { serviceId } }`)).it;
    expect([await service('risk'), await service('audit'), await service('none')]).toEqual([
      { serviceId: 'risk-2' },
      null,
      null,
    ]);
    clock += 60_000;
    expect(await idsOf('services(healthyOnly: true, name: "risk")')).toEqual(['risk-2']);
    expect(await ask(graph, '{ serviceById(serviceId: "risk-1") { status isHealthy } }')).toEqual({
      serviceById: { status: 'HEALTHY', isHealthy: false },
    });
  });

  it('take heartbeats and states, which nobody else can have', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    clock += 30_000;
    const { service } = await done(graph, 'heartbeat', { serviceId: 'risk-1' }, `service { ${SERVICE} }`);
    expect(service).toMatchObject({ lastSeen: at(30), registeredAt: at(0) });
    const changed = await done(
      graph,
      'setServiceStatus',
      { serviceId: 'risk-1', status: 'DEGRADED' },
      `service { ${SERVICE} }`,
    );
    expect(changed.service).toMatchObject({ status: 'DEGRADED', isHealthy: false, lastSeen: at(30) });
    for (const [name, input] of [
      ['heartbeat', {}],
      ['setServiceStatus', { status: 'HEALTHY' }],
    ] as const) {
      expect(await refused(graph, name, { serviceId: 'nobody', ...input })).toMatchObject({
        code: 'NOT_FOUND',
        entity: 'ServiceInstance',
        id: 'nobody',
        path: ['input', 'serviceId'],
      });
    }
  });

  it('end once, and without an error twice', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    const end = () => done(graph, 'deregisterService', { serviceId: 'risk-1' }, 'wasRegistered');
    expect([await end(), await end()]).toMatchObject([{ wasRegistered: true }, { wasRegistered: false }]);
    expect(await refused(graph, 'heartbeat', { serviceId: 'risk-1' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are cleaned up when they have been silent for longer', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    clock += 1_000;
    await done(graph, 'registerService', registration('risk-2'));
    clock += 60_000;
    const clean = (input: object) => done(graph, 'cleanupStaleServices', input, 'removedCount');
    expect(await clean({})).toMatchObject({ removedCount: 0 });
    expect(await clean({ olderThanSeconds: 60 })).toMatchObject({ removedCount: 1 });
    expect(await idsOf('services')).toEqual(['risk-2']);
    expect(await refused(graph, 'cleanupStaleServices', { olderThanSeconds: 0 })).toMatchObject({
      message: 'olderThanSeconds must be at least 1, but got 0.',
    });
  });

  it('answer a repeated command as the first time, and refuse its key for another', async () => {
    const input = { serviceId: 'risk-1', idempotencyKey: `end-${store}` };
    await done(graph, 'registerService', registration('risk-1'));
    expect(await done(graph, 'deregisterService', input, 'wasRegistered')).toMatchObject({ wasRegistered: true });
    expect(await done(graph, 'deregisterService', input, 'wasRegistered')).toMatchObject({ wasRegistered: true });
    expect(await refused(graph, 'deregisterService', { ...input, serviceId: 'risk-2' })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('are entities that other domains may refer to', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    const ids = ['risk-1', 'nobody', 'risk-1'];
    const { data } = await graph.subgraph(
      'registry',
      'query ($these: [_Any!]!) { _entities(representations: $these) { ... on ServiceInstance { serviceId name } } }',
      { these: ids.map((serviceId) => ({ __typename: 'ServiceInstance', serviceId })) },
    );
    expect(data._entities).toEqual([
      { serviceId: 'risk-1', name: 'risk' },
      null,
      { serviceId: 'risk-1', name: 'risk' },
    ]);
  });

  it.each([
    [{ serviceId: '' }, 'serviceId must have 1 to 255 characters, but got 0.'],
    [{ name: 'Risk' }, 'name must be 1 to 63 lower-case letters'],
    [{ name: `r${'x'.repeat(63)}` }, 'name must be 1 to 63 lower-case letters'],
    [{ version: ' 1' }, 'version must not begin or end with a blank.'],
    [{ host: '' }, 'host must have 1 to 255 characters, but got 0.'],
    [{ httpPort: 0 }, 'httpPort must be from 1 to 65535, but got 0.'],
    [{ grpcPort: 65_536 }, 'grpcPort must be from 1 to 65535, but got 65536.'],
    [{ metadata: { zone: 1 } }, 'metadata holds texts only, but "zone" is 1.'],
    [{ metadata: { zone: '\0' } }, 'must be valid texts without NUL characters'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, number) => [`m${number}`, ''])) },
      'metadata takes at most 50 texts, but got 51.',
    ],
  ])('are refused with %o', async (wrong, message) => {
    const refusal = await refused(graph, 'registerService', registration('risk-1', wrong));
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringContaining(message) });
    expect(refusal.path).toEqual(['input', Object.keys(wrong)[0]]);
    expect(await idsOf('services')).toEqual([]);
  });

  if (store === 'Redis') {
    it('are a domain that does not answer while Redis is away, and nothing else is', async () => {
      await redis?.kill();
      expect(await refused(graph, 'registerService', registration('risk-1'))).toMatchObject({
        code: 'DOMAIN_UNAVAILABLE',
      });
      const { data, errors } = await graph.run('{ services { serviceId } configs { nodes { key } } }');
      expect(data).toEqual({ services: null, configs: { nodes: [] } });
      expect(errors).toMatchObject([{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'registry' } }]);
      await redis?.start();
      await vi.waitFor(() => done(graph, 'registerService', registration('risk-1')), 30_000);
      expect(await idsOf('services')).toEqual(['risk-1']);
    });
  }
});
