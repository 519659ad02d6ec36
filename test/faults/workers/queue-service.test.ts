/**
 * The custodian settles what is due by itself, in two processes, which are killed again and again in the midst of it: nothing
 * settles twice, nothing is left, and nobody need ask for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../graph/risk/watch-desk.ts';
import type { Part } from '../history/part.ts';
import { createRandom } from '../history/random.ts';
import { admitClients, countsOf, type Debts, expectSettledOnce, instruct } from './settling.ts';
import { type Stage, startWorkers } from './stage.ts';

/** On a busy machine a process takes ten seconds to start. */
const TIMEOUT_MS = 240_000; // four minutes

/** Settlements of the first test, and of each of the rounds of the second. */
const FIRST = 60;
const ROUND = 40;
const ROUNDS = 3;

/** Settlements that are complete when the first process is killed. */
const BEFORE = 10;

let stage: Stage;
let debts: Debts;
beforeAll(async () => {
  stage = await startWorkers('custodian', 2, { CUSTODIAN_SETTLE: 'true', CUSTODIAN_FOLLOW_TRADES: 'false' });
  debts = await admitClients(stage);
  // Whatever weekday it is, it is a working day.
  await stage.sql(`
    insert into custodian.business_days (region, date, is_holiday, note)
    select 'US_NY', current_date + day, false, 'a working day' from generate_series(-3, 3) as day
    on conflict (region, date) do update set is_holiday = false`);
  await instruct(debts, FIRST + ROUNDS * ROUND);
  await stage.sql(
    `update custodian.settlements set due_at = due_at + interval '1 day', deadline_at = deadline_at + interval '2 days'`,
  );
}, TIMEOUT_MS);
afterAll(() => stage?.close());

/** So many more are due from now on. */
const makeDue = (count: number) =>
  stage.sql(
    `update custodian.settlements set due_at = initiated_at where settlement_id in (
       select settlement_id from custodian.settlements where due_at > now() order by settlement_id limit $1)`,
    [count],
  );

const untilDone = (count: number) =>
  until(async () => expect(await countsOf(stage)).toMatchObject({ COMPLETED: count }));

it('one is killed with a settlement in its hands: the other settles it, and all the rest', {
  timeout: TIMEOUT_MS,
}, async () => {
  const [killed] = stage.workers as [Part, Part];
  const isLate = `(select count(*) from custodian.settlements where status = 'COMPLETED') >= ${BEFORE}`;
  const barrier = await stage.barrier('update on custodian.settlements', `new.status = 'COMPLETED' and ${isLate}`);
  await makeDue(FIRST);
  await barrier.untilWaiting(2); // each has posted one that is not committed
  await killed.end('SIGKILL');
  const { COMPLETED = 0, PENDING } = await countsOf(stage);
  expect(COMPLETED).toBeGreaterThanOrEqual(BEFORE);
  expect(COMPLETED).toBeLessThanOrEqual(BEFORE + 1); // one may have been on its way when the barrier closed
  expect(PENDING).toBe(FIRST + ROUNDS * ROUND - COMPLETED);
  await barrier.lift();
  await untilDone(FIRST);
  await killed.start();
});

it('they are killed in turn while they work, and start again', { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom('settling');
  for (let kill = 0; kill < ROUNDS; kill++) {
    await makeDue(ROUND);
    const killed = stage.workers[kill % 2] as Part;
    await sleep(200 + random.below(800)); // somewhere in the midst
    await killed.end('SIGKILL');
    await killed.start();
  }
  await untilDone(FIRST + ROUNDS * ROUND);
  await expectSettledOnce(debts);
});
