/** Two processes settle one queue, and one of them is killed in the middle: nothing settles twice, and nothing is left. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { audit } from '../../graph/custodian/audit.ts';
import { admit, type Client, quote } from '../../graph/custodian/vault.ts';
import { done } from '../../graph/exchange/floor.ts';
import { type Stage, startWorkers } from './stage.ts';

/** On a busy machine a process takes ten seconds to start. */
const TIMEOUT_MS = 180_000; // three minutes

const CLIENTS = 10;
const SETTLEMENTS = 120;

/** Settlements that are complete when the process is killed. */
const BEFORE = 30;

/** A Monday noon far enough ahead that all of them are due. */
const LATER = '2030-01-07T17:00:00Z';

let stage: Stage;
const clients: Client[] = [];
beforeAll(async () => {
  stage = await startWorkers('custodian', 2, { CUSTODIAN_SETTLE: 'false', CUSTODIAN_FOLLOW_TRADES: 'false' });
  const { graph } = stage;
  await quote(graph, { BTC: '100' });
  for (let number = 0; number < CLIENTS; number++) clients.push(await admit(graph, { BTC: '100' }));
  const at = (index: number) => (clients[index % CLIENTS] as Client).segregated;
  for (let first = 0; first < SETTLEMENTS; first += CLIENTS) {
    const step = 1 + ((first / CLIENTS) % (CLIENTS - 1));
    const instructions = Array.from({ length: CLIENTS }, (_, i) => {
      const input = { type: 'TRANSFER', accountId: at(i), counterpartyAccountId: at(i + step), asset: 'BTC' };
      return done(graph, 'initiateSettlement', { ...input, quantity: `1.${first + i}` });
    });
    await Promise.all(instructions);
  }
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

const counts = async () =>
  Object.fromEntries(
    (await stage.sql('select status, count(*)::int as count from custodian.settlements group by 1')).map((row) => [
      row.status,
      row.count,
    ]),
  );

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

  const twice = await stage.sql(`
    select settlement_id from custodian.settlements as settlement
     where (select count(distinct posting_id) from custodian.ledger_entries
             where ref_type = 'SETTLEMENT' and ref_id = settlement_id::text and kind = 'TRANSFER') <> 1
        or (select sum(amount) from custodian.ledger_entries
             where ref_type = 'SETTLEMENT' and ref_id = settlement_id::text and kind = 'TRANSFER'
               and account_id = destination_account_id) <> quantity`);
  expect(twice).toEqual([]);
  expect(await audit(stage.graph)).toEqual({});
  const expected = await stage.sql(`
    select account_id, 100 + sum(amount) as quantity from (
      select destination_account_id as account_id, quantity as amount from custodian.settlements
      union all select source_account_id, -quantity from custodian.settlements) as moves
     group by account_id order by account_id`);
  const held = await stage.sql(
    `
    select account_id, quantity from custodian.holdings where asset = 'BTC' and account_id = any($1) and reserved_quantity = 0
     order by account_id`,
    [clients.map(({ segregated }) => segregated)],
  );
  expect(held).toEqual(expected);
});
