/** What users see while Redis or PostgreSQL is refused, slow, full, stopped or emptied, and afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';
import { type DegradedMark, type Load, type PageName, type Reading, startLoad } from './load.ts';
import { IDLE_ACCOUNT, POOL_SIZE, type Stage, startStage } from './stage.ts';
import { isWhole, storesIn, until, untilRead, untilWritten } from './waiting.ts';

/** No request takes longer, whatever is away: the time that the gateway gives a subgraph is not used up. */
const ANSWER_LIMIT_MS = 9_500;

let stage: Stage;
let load: Load;

beforeAll(async () => {
  stage = await startStage();
  load = startLoad(stage);
  await untilWritten(load, 3);
  await untilRead(load, 'instrument', isWhole);
});
afterAll(async () => {
  await stage.close();
});

/** The readings since it was called. */
function fromNow() {
  const from = load.readings.length;
  return () => load.readings.slice(from);
}

/** Connections of the exchange's two pools: no more statements come to PostgreSQL at once. */
async function connections(): Promise<number> {
  const [row] = await stage.leader.sql(
    'exchange',
    `select count(*)::int as count from pg_stat_activity
      where application_name = 'trading-data-graph' and usename = current_user and datname = current_database()`,
  );
  return row.count;
}

describe('Redis', () => {
  const flap = async () => {
    for (let flaps = 0; flaps < 10; flaps++) {
      stage.toRedis.set({ kind: flaps % 2 === 0 ? 'cut' : 'pass' });
      await sleep(100);
    }
  };
  const isTaken = async () => !(await stage.redis.command('SET', 'any', 'value')).includes('OOM');
  const pass = () => stage.toRedis.set({ kind: 'pass' });

  it.each([
    { name: 'refuses connections', inflict: () => stage.toRedis.set({ kind: 'cut' }), heal: pass },
    { name: 'takes two seconds to answer', inflict: () => stage.toRedis.set({ kind: 'delay', ms: 1_000 }), heal: pass },
    {
      name: 'is full',
      inflict: async () => {
        await stage.redis.command('CONFIG', 'SET', 'maxmemory', '1');
        expect(await isTaken()).toBe(false);
      },
      heal: () => stage.redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    },
    { name: 'is killed, and comes back empty', inflict: () => stage.redis.kill(), heal: () => stage.redis.start() },
  ])('that $name slows answers down, which say so, and nothing else', async ({ inflict, heal }) => {
    const readings = fromNow();
    await inflict();
    await until('an answer says so', () => storesIn(readings()).length > 0);
    await untilWritten(load, 3);
    expect(readings().filter(({ codes }) => codes.length > 0)).toEqual([]);
    expect(storesIn(readings())).toEqual(['exchange REDIS']);
    expect(storesIn(readings().filter(({ page }) => page !== 'balance'))).toEqual([]);
    expect(await connections()).toBeLessThanOrEqual(2 * POOL_SIZE);
    await heal();
    await untilRead(load, 'balance', isWhole);
    await untilWritten(load, 3);
  });

  it('that comes and goes leaves nothing wrong', async () => {
    const readings = fromNow();
    await flap();
    pass();
    await untilWritten(load, 3);
    await untilRead(load, 'balance', isWhole);
    expect(readings().filter(({ codes }) => codes.length > 0)).toEqual([]);
  });
});

describe('PostgreSQL that is stopped', () => {
  const idle = `{ exchangeAccount(id: "${IDLE_ACCOUNT}") { status client { clientId } } }`;
  let readings: () => Reading[];
  let stoppedAt: number;
  let newcomer: TestGraph;

  beforeAll(async () => {
    await stage.follower.run(idle);
    const key = `exchange:cache:entity:ExchangeAccount:${IDLE_ACCOUNT}`;
    await vi.waitFor(async () => expect(await stage.redis.command('EXISTS', key)).toBe(':1'), 30_000);
    readings = fromNow();
    await stage.pausePostgres();
    stoppedAt = Date.now();
    newcomer = await stage.another();
  });
  afterAll(async () => {
    await stage.resumePostgres();
    await newcomer.close();
  });

  it('is told with what is known and how old that is, and commands are refused', async () => {
    const refused = load.refusals.length;
    await untilRead(load, 'list', ({ codes }) => codes.length > 0);
    await untilRead(load, 'balance', ({ degraded }) => degraded.length > 0);
    await untilRead(load, 'instrument', ({ degraded }) => degraded.length > 0);
    await until('commands are refused', () => load.refusals.length > refused + 5);
    const of = (...pages: PageName[]) => readings().filter(({ page }) => pages.includes(page));
    expect(of('balance', 'instrument').filter(({ codes }) => codes.length > 0)).toEqual([]);
    // A process that starts another graph may be too busy to hear Redis in time, and says so as well.
    expect(storesIn(of('balance'))).toContain('exchange POSTGRESQL');
    expect(storesIn(of('instrument'))).toContain('market-data POSTGRESQL');
    expect(storesIn(of('list'))).not.toContain('exchange POSTGRESQL');
    for (const { degraded } of of('balance', 'instrument')) {
      for (const { store, asOf } of degraded) {
        if (store === 'POSTGRESQL') expect(Date.parse(asOf ?? '')).toBeLessThan(stoppedAt + 1_000);
      }
    }
    const subgraphs = [stage.leader, stage.follower].map((graph) => graph.subgraphs.get('exchange'));
    expect(await Promise.all(subgraphs.map((subgraph) => subgraph?.isReady()))).toEqual([false, false]);
  });

  it('is told by a process that has never reached it, as far as Redis knows', async () => {
    const { data, errors, extensions } = await newcomer.run(idle);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ exchangeAccount: { status: 'ACTIVE', client: { clientId: 'southgate' } } });
    const [mark] = (extensions?.degraded ?? []) as DegradedMark[];
    expect(mark).toMatchObject({ domain: 'exchange', store: 'POSTGRESQL' });
    expect(Date.parse(mark?.asOf ?? '')).toBeLessThan(stoppedAt + 1_000);
    const fresh = await newcomer.run(idle, {}, { 'cache-control': 'no-cache' });
    expect(fresh.errors).toMatchObject([{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'exchange' } }]);
  });

  it('goes on where it was when it is continued', async () => {
    await stage.resumePostgres();
    await untilWritten(load, 3);
    for (const page of ['list', 'balance', 'instrument'] as const) await untilRead(load, page, isWhole);
  });
});

describe('when all is over', () => {
  it('every deposit has been made once, nobody was told anything wrong, and nobody waited for long', async () => {
    await load.stop();
    expect(load.complaints).toEqual([]);
    const [{ total }] = await stage.leader.sql('exchange', 'select sum(total_balance)::int as total from balances');
    expect(total).toBe(load.acknowledged());
    expect(load.acknowledged()).toBe(load.begun());
    const longest = Math.max(...load.commandsMs, ...load.readings.map(({ tookMs }) => tookMs));
    expect(longest).toBeLessThan(ANSWER_LIMIT_MS);
  });
});
