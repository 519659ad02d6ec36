/** How long faults last and where: leases, several processes, processes without chaos, and the money throughout. */
import { afterAll, afterEach, beforeAll, describe, expect, it, inject as provided, vi } from 'vitest';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from '../exchange/audit.ts';
import { letCrowdTrade } from '../exchange/crowd.ts';
import { clear, faults, inject, injectAny, renew } from './drill.ts';

/** Two processes that suffer, and one where chaos is off, of one database. */
let here: TestGraph;
let there: TestGraph;
let calm: TestGraph;
let drop: () => Promise<void>;
let aheadMs = 0;

beforeAll(async () => {
  const copy = await copyTemplate(provided('adminUrl'));
  drop = copy.drop;
  const domains = ['market-data', 'exchange'] as const;
  const now = () => new Date(Date.now() + aheadMs);
  const start = (isChaosOn: boolean) => startGraph({ databaseUrl: copy.url, domains, isChaosOn, now });
  [here, there, calm] = await Promise.all([start(true), start(true), start(false)]);
});
afterEach(() => clear(here, 'exchange', { runId: 'drill' }));
afterAll(async () => {
  await Promise.all([here, there, calm].map((graph) => graph.close()));
  await drop();
});

const run = { runId: 'drill', leaseSeconds: 60 };
const until = (assertions: () => Promise<void>) => vi.waitFor(assertions, { timeout: 30_000, interval: 20 });
const isDown = async (graph: TestGraph) => {
  const { errors } = await graph.run('{ exchangeAccounts { nodes { accountId } } }');
  return errors?.[0]?.extensions.code === 'DOMAIN_UNAVAILABLE';
};
const isUp = async (graph: TestGraph) => !(await isDown(graph));

describe('a fault', () => {
  it('is suffered by every process, whichever took it, until any of them clears it', async () => {
    const { faultId } = await inject(here, 'exchange', { ...run, kind: 'DOWNTIME' });
    expect(await isDown(here)).toBe(true);
    await until(async () => expect(await isDown(there)).toBe(true));
    expect((await clear(there, 'exchange', { faultId })).faults).toMatchObject([{ status: 'CLEARED' }]);
    await until(async () => expect([await isUp(here), await isUp(there)]).toEqual([true, true]));
  });

  it('is refused and ignored where chaos is off, and can be cleared there', async () => {
    expect((await injectAny(calm, 'exchange', { ...run, kind: 'DOWNTIME' })).errors).toMatchObject([
      {
        code: 'VALIDATION_FAILED',
        message: 'Chaos is off: the exchange domain takes no faults unless it runs with CHAOS=on.',
      },
    ]);
    await inject(here, 'exchange', { ...run, kind: 'DOWNTIME' });
    expect(await faults(calm, 'exchange')).toMatchObject([{ kind: 'DOWNTIME', status: 'ACTIVE' }]);
    expect(await isUp(calm)).toBe(true);
    await clear(calm, 'exchange', { runId: 'drill' });
    await until(async () => expect(await isUp(here)).toBe(true));
  });

  it('ends by itself when nobody renews its lease, which the log tells in the trace of its injection', async () => {
    const { faultId } = await inject(here, 'exchange', { ...run, kind: 'DOWNTIME', leaseSeconds: 60 });
    aheadMs += 50_000;
    expect((await renew(here, 'exchange', { runId: 'drill', leaseSeconds: 60 })).faults).toHaveLength(1);
    aheadMs += 50_000;
    expect(await isDown(here)).toBe(true);
    aheadMs += 20_000; // whoever injected it was killed
    await until(async () => expect([await isUp(here), await isUp(there)]).toEqual([true, true]));
    await until(async () => {
      const told = await here.sql(
        'exchange',
        `select row ->> 'status' as status, substring(trace from 4 for 32) as trace, row ->> 'traceId' as own
           from change_log where relation = 'injected_faults' and key = $1 order by seq`,
        [faultId],
      );
      expect(told.at(-1)?.status).toBe('EXPIRED');
      expect([told[0]?.trace, told.at(-1)?.trace]).toEqual([told[0]?.own, told[0]?.own]);
    });
    expect(await faults(here, 'exchange', { activeOnly: false })).toMatchObject([
      { faultId, status: 'EXPIRED' },
      {},
      {},
    ]);
  });

  it('of a restart is done once by each process', async () => {
    const feeds = () => [here, there].map((graph) => (graph.subgraphs.get('exchange') as Subgraph).feed);
    const before = feeds();
    await inject(there, 'exchange', { ...run, kind: 'RESTART' });
    await until(async () => expect(feeds().some((feed, i) => feed === before[i])).toBe(false));
    const after = feeds();
    await renew(there, 'exchange', { runId: 'drill', leaseSeconds: 60 });
    await clear(there, 'exchange', { runId: 'drill' });
    await until(async () => expect([await isUp(here), await isUp(there)]).toEqual([true, true]));
    expect(feeds()).toEqual(after);
  });
});

describe('the money of the exchange', () => {
  it('adds up to the last digit whatever is suffered while a crowd trades', async () => {
    await inject(here, 'exchange', {
      ...run,
      kind: 'REJECTION',
      parameters: { share: '0.2', operations: ['cancelExchangeOrder'] },
    });
    await inject(here, 'exchange', {
      ...run,
      kind: 'LATENCY',
      parameters: { delayMs: 1, jitterMs: 20, operations: ['placeExchangeOrder'] },
    });
    let hasRestarted = false;
    const before = (here.subgraphs.get('exchange') as Subgraph).feed;
    const tally = await letCrowdTrade(here, {
      clients: 4,
      seed: 7,
      goesOn: (sent) => {
        if (sent === 10 && !hasRestarted) {
          hasRestarted = true;
          void inject(there, 'exchange', { ...run, kind: 'RESTART' });
        }
        return sent < 30 || (here.subgraphs.get('exchange') as Subgraph).feed === before;
      },
    });
    const came = Object.keys(tally);
    expect(came).toContain('cancel DOMAIN_UNAVAILABLE');
    expect(came).toContain('place FILLED');
    expect(await audit(here)).toEqual({});
  });
});
