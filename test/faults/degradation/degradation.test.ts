/** What users see while Redis or PostgreSQL is refused, slow, full, stopped or emptied, and afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Load, startLoad } from './load.ts';
import { POOL_SIZE, type Stage, startStage } from './stage.ts';
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

  it('that is away sends no more statements to PostgreSQL at once than the pools have connections', async () => {
    await stage.redis.kill();
    await untilWritten(load, 3);
    const [row] = await stage.leader.sql(
      'exchange',
      `select count(*)::int as count from pg_stat_activity
        where application_name = 'trading-data-graph' and usename = current_user`,
    );
    expect(row.count).toBeGreaterThan(0);
    expect(row.count).toBeLessThanOrEqual(2 * POOL_SIZE);
    await stage.redis.start();
    await untilRead(load, 'balance', isWhole);
  });
});

describe('PostgreSQL that is stopped', () => {
  it('is told with what is known and how old that is; commands are refused; all goes on when it does', async () => {
    const readings = fromNow();
    const refused = load.refusals.length;
    const stoppedAt = Date.now();
    await stage.pausePostgres();
    try {
      await untilRead(load, 'list', ({ codes }) => codes.length > 0);
      await untilRead(load, 'balance', ({ degraded }) => degraded.length > 0);
      await untilRead(load, 'instrument', ({ degraded }) => degraded.length > 0);
      await until('commands are refused', () => load.refusals.length > refused + 5);
      const of = (...pages: string[]) => readings().filter(({ page }) => pages.includes(page));
      expect(of('balance', 'instrument').filter(({ codes }) => codes.length > 0)).toEqual([]);
      expect(storesIn(of('balance'))).toEqual(['exchange POSTGRESQL']);
      expect(storesIn(of('instrument'))).toEqual(['market-data POSTGRESQL']);
      expect(storesIn(of('list'))).toEqual([]);
      for (const { degraded } of of('balance', 'instrument')) {
        for (const { asOf } of degraded) expect(Date.parse(asOf ?? '')).toBeLessThan(stoppedAt + 1_000);
      }
      expect(await Promise.all([stage.leader, stage.follower].map(isReady))).toEqual([false, false]);
    } finally {
      await stage.resumePostgres();
    }
    await untilWritten(load, 3);
    await untilRead(load, 'list', isWhole);
    await untilRead(load, 'balance', isWhole);
    await untilRead(load, 'instrument', isWhole);
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

async function isReady({ subgraphs }: Stage['leader']): Promise<boolean> {
  return (await subgraphs.get('exchange')?.isReady()) === true;
}
