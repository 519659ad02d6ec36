/** The process that watches limits is killed in the midst of breaches: another one goes on, and nothing is doubled or lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { price, until } from '../../graph/risk/watch-desk.ts';
import { done, strategy, trade } from '../../graph/trading/desk.ts';
import type { Part } from '../history/part.ts';
import { createRandom } from '../history/random.ts';
import { type Stage, startWorkers } from './stage.ts';

/** On a busy machine a process takes ten seconds to start. */
const TIMEOUT_MS = 180_000; // three minutes

const ACCOUNTS = 12;

let stage: Stage;
beforeAll(async () => {
  stage = await startWorkers('risk', 2);
  const { graph } = stage;
  await done(graph, 'createInstrument', { symbol: 'BTC-USD' });
  await price(graph, 'BTC-USD', '100');
  for (let number = 1; number <= ACCOUNTS; number++) {
    const accountId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    await trade(graph, await strategy(graph, { accountId }), '5', '100');
  }
  const limit = { type: 'NOTIONAL', scope: { symbol: 'BTC-USD' }, threshold: '1000', by: 'ann' };
  await done(graph, 'setRiskLimit', limit);
  for (const worker of stage.workers) await untilFollowing(worker);
}, TIMEOUT_MS);
afterAll(() => stage?.close());

const STATUS = '{ riskStatus { isMonitor isFollowing portfolioCount limitCount } }';

const statusOf = async (worker: Part) => (await stage.askWorker(worker, STATUS)).riskStatus;

const untilFollowing = (worker: Part) =>
  until(async () =>
    expect(await statusOf(worker)).toMatchObject({ isFollowing: true, portfolioCount: ACCOUNTS, limitCount: 1 }),
  );

async function leader(): Promise<Part> {
  for (;;) {
    for (const worker of stage.workers) if (worker.isUp() && (await statusOf(worker)).isMonitor) return worker;
    await sleep(50);
  }
}

const openBreaches = async (): Promise<number> =>
  (await stage.sql('select count(*)::int as count from risk.risk_breaches where ended_at is null'))[0].count;

const untilOpen = (count: number) => until(async () => expect(await openBreaches()).toBe(count));

/** Each gives a row for every fault (domain.md §5.4). */
const FAULTS = {
  'a breached scope has not exactly one open breach and one open alert': `
    select state_id from risk.limit_states
     where band = 'breached'
       and ((select count(*) from risk.risk_breaches as breach
              where breach.state_id = limit_states.state_id and ended_at is null) <> 1
         or (select count(*) from risk.risk_alerts as alert join risk.risk_breaches as breach using (breach_id)
              where breach.state_id = limit_states.state_id and ended_at is null
                and status in ('active', 'acknowledged')) <> 1)`,
  'a breach is open of a scope that is not breached': `
    select breach_id from risk.risk_breaches left join risk.limit_states using (state_id)
     where ended_at is null and band is distinct from 'breached'`,
  'an alert is open of a breach that has ended': `
    select alert_id from risk.risk_alerts join risk.risk_breaches using (breach_id)
     where ended_at is not null and status in ('active', 'acknowledged')`,
  'a breach has not exactly one alert': `
    select breach_id from risk.risk_breaches left join risk.risk_alerts using (breach_id)
     group by breach_id having count(alert_id) <> 1`,
  'two breaches of a scope overlap': `
    select one.breach_id from risk.risk_breaches as one join risk.risk_breaches as other using (state_id)
     where one.breach_id <> other.breach_id and one.started_at <= other.started_at
       and coalesce(one.ended_at, 'infinity') > other.started_at`,
};

async function expectTrueBreaches(): Promise<void> {
  for (const [fault, statement] of Object.entries(FAULTS)) expect(await stage.sql(statement), fault).toEqual([]);
}

it('in the midst of a step: nothing of it is stored, and the other process takes the whole of it', {
  timeout: TIMEOUT_MS,
}, async () => {
  const isSixth = `(select count(*) from risk.risk_alerts where status = 'active') = 5`;
  const barrier = await stage.barrier('insert on risk.risk_alerts', isSixth);
  const first = await leader();
  await price(stage.graph, 'BTC-USD', '250');
  await barrier.untilWaiting(1);
  await first.end('SIGKILL');
  expect(await openBreaches()).toBe(0);
  await barrier.lift();
  await untilOpen(ACCOUNTS);
  expect(await leader()).not.toBe(first);
  await expectTrueBreaches();
  await first.start();
  await untilFollowing(first);
});

it('again and again while prices move: every scope ends as it is, with one open breach and alert at most', {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = createRandom('prices');
  for (let kill = 1; kill <= 2; kill++) {
    const killed = await leader();
    let isDone = false;
    const moving = (async () => {
      for (let move = 0; !isDone; move++) {
        await price(stage.graph, 'BTC-USD', move % 2 === 0 ? '100' : '250');
        await sleep(150);
      }
    })();
    await sleep(300 + random.below(700));
    await killed.end('SIGKILL');
    await killed.start();
    isDone = true;
    await moving;
    await untilFollowing(killed);
  }
  await price(stage.graph, 'BTC-USD', '260');
  await untilOpen(ACCOUNTS);
  await expectTrueBreaches();
  await price(stage.graph, 'BTC-USD', '90');
  await untilOpen(0);
  await expectTrueBreaches();
  const [{ count }] = await stage.sql('select count(*)::int as count from risk.risk_breaches');
  expect(count).toBeGreaterThan(ACCOUNTS);
});
