/** A process that says it is there, on the real graph; only time is made shorter. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { HealthStatus } from '../../platform/health.ts';
import { createLogger } from '../../platform/log.ts';
import { placeOf, register } from '../../platform/registration.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const place = { host: '10.0.0.1', port: 4003 };
const retryMs = { first: 10, longest: 20 };
const PATIENCE = { timeout: 30_000, interval: 20 };

let graph: TestGraph;
let isAway = false;
let attempts = 0;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());
beforeEach(() => {
  isAway = false;
});

/** The graph, sometimes away, which asks for heartbeats every ten milliseconds. */
const client = (): GraphClient => ({
  ...graph.client,
  async request<Data>(document: string, variables?: Record<string, unknown>) {
    attempts++;
    if (isAway) throw refuse.domainUnavailable('gateway');
    const data = await graph.client.request<{ registerService?: { ttlSeconds: number } }>(document, variables);
    if (data.registerService) data.registerService.ttlSeconds = 0.03;
    return data as Data;
  },
});
const start = (names = ['trading'], status?: () => Promise<HealthStatus>) =>
  register({
    graph: client(),
    services: names.map((name) => ({ name, ...(status && { status }) })),
    place,
    log,
    retryMs,
  });

const services = async () =>
  (await graph.run('{ services { serviceId name host httpPort version lastSeen metadata } }')).data.services;
const untilThere = (count = 1) =>
  vi.waitFor(async () => {
    const found = await services();
    expect(found).toHaveLength(count);
    return found;
  }, PATIENCE);

describe('a registration', () => {
  it('says what there is and where, sends heartbeats, and says when it ends', async () => {
    const registration = start(['gateway', 'trading']);
    const found = await untilThere(2);
    expect(found).toMatchObject([
      { serviceId: 'gateway@10.0.0.1:4003', name: 'gateway', host: '10.0.0.1', httpPort: 4003 },
      { serviceId: 'trading@10.0.0.1:4003', name: 'trading', host: '10.0.0.1', httpPort: 4003 },
    ]);
    expect(found[0].version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(found[0].metadata).toEqual({ environment: 'test', instance: expect.stringContaining(`:${process.pid}`) });
    await vi.waitFor(async () => {
      for (const [at, { lastSeen }] of (await services()).entries()) expect(lastSeen > found[at].lastSeen).toBe(true);
    }, PATIENCE);
    await registration.stop();
    expect(await services()).toEqual([]);
  });

  it('is tried again while the registry is away', async () => {
    isAway = true;
    attempts = 0;
    const registration = start();
    await vi.waitFor(() => expect(attempts).toBeGreaterThan(3), PATIENCE);
    expect(await services()).toEqual([]);
    isAway = false;
    await untilThere();
    await registration.stop();
  });

  it('is made anew when the registry has forgotten it', async () => {
    const registration = start();
    await untilThere();
    for (let time = 1; time <= 3; time++) {
      await graph.run(
        `mutation { deregisterService(input: { serviceId: "trading@10.0.0.1:4003" }) { wasRegistered } }`,
      );
      await untilThere();
    }
    await registration.stop();
  });

  it('says how the service does, when that has changed', async () => {
    let status: HealthStatus = 'DEGRADED';
    const registration = start(['trading'], async () => status);
    const statusOf = async () => (await graph.run('{ services { status } }')).data.services[0]?.status;
    const until = (expected: HealthStatus) => vi.waitFor(async () => expect(await statusOf()).toBe(expected), PATIENCE);
    await until('DEGRADED');
    status = 'HEALTHY';
    await until('HEALTHY');
    status = 'UNHEALTHY';
    await until('UNHEALTHY');
    await registration.stop();
  });

  it('ends also while the registry is away', async () => {
    const registration = start();
    await untilThere();
    isAway = true;
    await registration.stop();
    expect(await services()).toHaveLength(1);
  });
});

describe('the place of a process', () => {
  it.each([
    [{ host: '127.0.0.1', port: 1 }, {}, { host: '127.0.0.1', port: 1 }],
    [{ host: '0.0.0.0', port: 1 }, { SERVICE_HOST: 'trading' }, { host: 'trading', port: 1 }],
    [{ host: '0.0.0.0', port: 1 }, {}, { host: expect.not.stringMatching(/^(0\.0\.0\.0)?$/), port: 1 }],
  ])('%o with %o is %o', (listening, environment, expected) => {
    expect(placeOf(listening, environment)).toEqual(expected);
  });
});
