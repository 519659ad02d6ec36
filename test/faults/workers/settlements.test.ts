/** Two processes settle one queue, and one of them is killed in the middle: nothing settles twice, and nothing is left. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { admitClients, countsOf, type Debts, expectSettledOnce, instruct } from './settling.ts';
import { type Stage, startWorkers } from './stage.ts';

/** On a busy machine a process takes ten seconds to start. */
const TIMEOUT_MS = 180_000; // three minutes

const SETTLEMENTS = 120;

/** Settlements that are complete when the process is killed. */
const BEFORE = 30;

/** A Monday noon far enough ahead that all of them are due. */
const LATER = '2030-01-07T17:00:00Z';

let stage: Stage;
let debts: Debts;
beforeAll(async () => {
  stage = await startWorkers('custodian', 2, { CUSTODIAN_SETTLE: 'false', CUSTODIAN_FOLLOW_TRADES: 'false' });
  debts = await admitClients(stage);
  await instruct(debts, SETTLEMENTS);
}, TIMEOUT_MS);
afterAll(() => stage?.close());

const WORK = `mutation ($input: ProcessSettlementQueueInput!) {
  processSettlementQueue(input: $input) { items { settlement { settlementId } outcome } errors { message } } }`;

const work = async (worker: Stage['workers'][number]): Promise<string[]> => {
  const input = { asOf: LATER, limit: 500 };
  const { items, errors } = (await stage.askWorker(worker, WORK, { input })).processSettlementQueue;
  expect(errors).toEqual([]);
  return items.map((item: { settlement: { settlementId: string } }) => item.settlement.settlementId);
};

const counts = () => countsOf(stage);

it('settles each of some hundred once, whoever dies meanwhile', { timeout: TIMEOUT_MS }, async () => {
  const [killed, other] = stage.workers as [Stage['workers'][number], Stage['workers'][number]];
  expect(await counts()).toEqual({ PENDING: SETTLEMENTS });
  const isLate = `(select count(*) from custodian.settlements where status = 'COMPLETED') >= ${BEFORE}`;
  const barrier = await stage.barrier('update on custodian.settlements', `new.status = 'COMPLETED' and ${isLate}`);
  const cut = work(killed).then(
    () => 'answered',
    () => 'cut',
  );
  const working = work(other);
  await barrier.untilWaiting(2); // each has posted one that is not committed
  await killed.end('SIGKILL');
  expect(await cut).toBe('cut');
  // One that was on its way when the barrier closed may have come through.
  const { COMPLETED = 0, PENDING } = await counts();
  expect(COMPLETED).toBeGreaterThanOrEqual(BEFORE);
  expect(COMPLETED).toBeLessThanOrEqual(BEFORE + 1);
  expect(PENDING).toBe(SETTLEMENTS - COMPLETED);
  await barrier.lift();
  const settled = await working;
  expect(settled.length).toBeLessThan(SETTLEMENTS); // the dead one has done some
  expect(new Set(settled).size).toBe(settled.length);
  await work(other); // what the dead one held until its connection was found broken
  expect(await counts()).toEqual({ COMPLETED: SETTLEMENTS });
  await expectSettledOnce(debts);
});
