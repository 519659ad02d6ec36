/**
 * Whatever happens in whatever order, by several at once: nothing is lost or made, nothing goes without its approvals,
 * nothing is settled twice, and who dies in the middle leaves nothing half done.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import type { Context } from '../../../subgraphs/custodian/context.ts';
import { processQueue } from '../../../subgraphs/custodian/settlement/queue.ts';
import { expireRequests } from '../../../subgraphs/custodian/transfer/voting.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { done, send } from '../exchange/floor.ts';
import { audit } from './audit.ts';
import { admit, type Client, identify, quote } from './vault.ts';

/** Hours that the graph's clock is ahead of a Wednesday morning in New York. */
let hours = 0;
const now = () => new Date(Date.parse('2026-11-18T15:00:00Z') + hours * 3_600_000);

let graph: TestGraph;
let clients: Client[];
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now, cacheBytes: 0 });
  await quote(graph, { BTC: '50000' }, now());
  clients = [];
  for (let i = 0; i < 3; i++) clients.push(await admit(graph, { BTC: '10', USD: '500000' }));
  for (const client of clients) await identify(graph, client); // compliance still looks at so much BTC in one hand
});
afterAll(() => graph.close());

const context = () => graph.subgraphs.get('custodian')?.createContext({}) as Context;
const PEOPLE = ['anna', 'ben', 'cleo', 'dora', 'erin'];

type Step =
  | { kind: 'transfer'; from: number; to: number; asset: 'BTC' | 'USD'; amount: number; by: number }
  | { kind: 'vote'; which: number; by: number; isFor: boolean }
  | { kind: 'cancel'; which: number }
  | { kind: 'settlement'; from: number; to: number; amount: number; cash: number | null }
  | { kind: 'act'; which: number; act: 'start' | 'complete' | 'part' | 'fail' | 'cancel' | 'retry' }
  | { kind: 'external'; client: number; amount: number; isIn: boolean }
  | { kind: 'queue'; workers: number }
  | { kind: 'killed' }
  | { kind: 'later'; hours: number };

const who = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      from: who,
      to: who,
      asset: fc.constantFrom('BTC' as const, 'USD' as const),
      amount: fc.integer({ min: 1, max: 30_000 }),
      by: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vote' as const),
      which: fc.nat(),
      by: fc.nat({ max: 4 }),
      isFor: fc.integer({ min: 0, max: 9 }).map((die) => die > 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settlement' as const),
      from: who,
      to: who,
      amount: fc.integer({ min: 1, max: 300 }),
      cash: fc.option(fc.integer({ min: 1, max: 9_000_000 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      which: fc.nat(),
      act: fc.constantFrom(
        'start' as const,
        'complete' as const,
        'part' as const,
        'fail' as const,
        'cancel' as const,
        'retry' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('external' as const),
      client: who,
      amount: fc.integer({ min: 1, max: 99 }),
      isIn: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('queue' as const), workers: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'killed' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
);

/** The nth id of a column, whatever there is. */
async function pick(table: string, column: string, which: number): Promise<string | null> {
  const rows = await graph.sql('custodian', `select ${column} as id from ${table} order by created_at desc limit 12`);
  return rows.length === 0 ? null : rows[which % rows.length].id;
}

const account = (index: number) => (clients[index] as Client).segregated;

/** Does it; being refused is an answer like another. */
async function take(one: Step): Promise<void> {
  switch (one.kind) {
    case 'transfer': {
      const amount = one.asset === 'BTC' ? `0.${String(one.amount).padStart(5, '0')}` : `${one.amount}.37`;
      const ends = { fromAccountId: account(one.from), toAccountId: account(one.to), asset: one.asset, amount };
      await send(graph, 'requestTransfer', { ...ends, requestedBy: PEOPLE[one.by], isUrgent: one.amount % 2 === 0 });
      return;
    }
    case 'vote': {
      const requestId = await pick('approval_requests', 'request_id', one.which);
      if (!requestId) return;
      const asked = `select subject_id from approval_requests where request_id = $1 and subject_type = 'REVIEW'`;
      const [review] = await graph.sql('custodian', asked, [requestId]);
      if (review) {
        const decision = one.isFor ? 'APPROVE' : 'REJECT';
        const input = { transferId: review.subject_id, decision, officerId: PEOPLE[one.by], reason: 'seen' };
        await send(graph, 'decideTransferReview', input);
        return;
      }
      await send(graph, one.isFor ? 'approveRequest' : 'rejectRequest', { requestId, approverId: PEOPLE[one.by] });
      return;
    }
    case 'cancel': {
      const transferId = await pick('transfers', 'transfer_id', one.which);
      if (transferId) await send(graph, 'cancelTransfer', { transferId, actor: 'anna' });
      return;
    }
    case 'settlement': {
      const ends = { type: 'TRANSFER', accountId: account(one.from), counterpartyAccountId: account(one.to) };
      const payment = one.cash === null ? {} : { currency: 'USD', cashAmount: `${one.cash / 100}` };
      await send(graph, 'initiateSettlement', { ...ends, asset: 'BTC', quantity: `${one.amount / 100}`, ...payment });
      return;
    }
    case 'act': {
      const settlementId = await pick('settlements', 'settlement_id', one.which);
      if (!settlementId) return;
      if (one.act === 'part') await send(graph, 'completeSettlement', { settlementId, quantity: '0.013' });
      else if (one.act === 'fail') await send(graph, 'failSettlement', { settlementId, reason: 'chance' });
      else await send(graph, `${one.act}Settlement`, { settlementId });
      return;
    }
    case 'external': {
      const name = one.isIn ? 'depositCustodyAsset' : 'withdrawCustodyAsset';
      await send(graph, name, { accountId: account(one.client), asset: 'BTC', amount: `0.${one.amount}` });
      return;
    }
    case 'queue':
      await Promise.all(Array.from({ length: one.workers }, () => processQueue(context(), 20, now())));
      await expireRequests(context());
      return;
    case 'killed':
      await diesInTheMiddle();
      return;
    case 'later':
      hours += one.hours;
  }
}

/** A worker whose connection ends after it has posted, before it has committed. */
async function diesInTheMiddle(): Promise<void> {
  const half = `do $$
    declare one settlements;
    begin
      select * into one from settlements where status = 'PENDING' limit 1 for no key update skip locked;
      if one.settlement_id is null or one.source_account_id = 'external' then return; end if;
      update settlements set status = 'IN_PROGRESS', started_at = now() where settlement_id = one.settlement_id;
      insert into ledger_entries (posting_id, account_id, asset, bucket, amount, kind, ref_type, ref_id)
      select posting.id, side.account_id, one.asset, 'AVAILABLE', side.amount, 'TRANSFER', 'SETTLEMENT', one.settlement_id
        from (select gen_random_uuid() as id) as posting,
             (values ('external', -0.00000001), (one.source_account_id, 0.00000001)) as side(account_id, amount);
      perform pg_terminate_backend(pg_backend_pid());
      perform pg_sleep(5);
    end $$`;
  await graph.sql('custodian', half).catch(() => undefined);
}

/** What must hold after every round, in SQL: each gives a row for every fault. */
const FAULTS = [
  // What each asset sums to is what came from outside less what went there.
  `select asset from holdings group by asset
   having sum(quantity) <> (select -sum(amount) from ledger_entries
                             where account_id = 'external' and ledger_entries.asset = holdings.asset)`,
  // And all that ever came or went was deposited or withdrawn.
  `select entry_id from ledger_entries where account_id = 'external' and kind not in ('DEPOSIT', 'WITHDRAWAL')`,
  // What is reserved is what open settlements and waiting transfers have set aside.
  `select account_id, asset from holdings
    where reserved_quantity <> (
      select coalesce(sum(amount), 0) from (
        select source_account_id as account_id, asset, reserved_quantity as amount from settlements
        union all select destination_account_id, currency, reserved_cash from settlements where currency is not null
        union all select from_account_id, asset, reserved_amount from transfers) as aside
       where aside.account_id = holdings.account_id and aside.asset = holdings.asset)`,
  // What was posted for a settlement is what it says is settled: no more, no less, never twice.
  `select settlement_id from settlements
    where settled_quantity <> (
      select coalesce(sum(amount), 0) from ledger_entries
       where ref_type = 'SETTLEMENT' and ref_id = settlement_id::text and kind = 'TRANSFER'
         and ledger_entries.asset = settlements.asset and account_id = destination_account_id)`,
  // Nothing goes without its approvals, each by another, none by who asked.
  `select transfer_id from transfers join approval_requests on request_id = approval_request_id
    where transfers.status in ('APPROVED', 'PROCESSING', 'COMPLETED')
      and (select count(distinct approver_id) from votes where votes.request_id = approval_requests.request_id
             and decision = 'APPROVE' and approver_id <> transfers.requested_by) < required`,
  // A transfer and its settlement say the same.
  `select transfers.transfer_id from transfers join settlements using (settlement_id)
    where (transfers.status = 'COMPLETED') <> (settlements.status = 'COMPLETED')
       or (transfers.status = 'FAILED') <> (settlements.status = 'FAILED')`,
];

it('keeps what is kept, in any order and by several at once', { timeout: 180_000 }, async () => {
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(rounds, async (each) => {
      for (const together of each) {
        await Promise.all(together.map(take));
        for (const fault of FAULTS) expect(await graph.sql('custodian', fault)).toEqual([]);
      }
    }),
    { numRuns: 6, seed: 20_261_118, endOnFailure: true },
  );
  // Whatever has been, what is asked for now goes its way.
  const ends = { fromAccountId: account(0), toAccountId: account(1), asset: 'USD', amount: '1' };
  await done(graph, 'depositCustodyAsset', { accountId: account(0), asset: 'USD', amount: '1' });
  const { transfer } = await done(
    graph,
    'requestTransfer',
    { ...ends, requestedBy: 'anna' },
    'transfer { transferId }',
  );
  await done(graph, 'approveTransfer', { transferId: transfer.transferId, approverId: 'ben' });
  await processQueue(context(), 500, new Date('2030-01-07T17:00:00Z'));
  for (const fault of FAULTS) expect(await graph.sql('custodian', fault)).toEqual([]);
  const [counts] = await graph.sql(
    'custodian',
    `select (select count(*)::int from settlements where status = 'COMPLETED') as settled,
            (select count(*)::int from transfers where status = 'COMPLETED') as transferred`,
  );
  expect(counts.settled).toBeGreaterThan(5); // else nothing was tried
  expect(counts.transferred).toBeGreaterThan(0);
  expect(await audit(graph)).toEqual({});
});

it('keeps sums though everything is settled at once with everything', async () => {
  const [one, two] = [account(0), account(1)];
  for (const accountId of [one, two])
    await done(graph, 'depositCustodyAsset', { accountId, asset: 'USD', amount: '1000' });
  const both = Array.from({ length: 10 }, (_, i) => ({
    type: 'TRANSFER',
    accountId: i % 2 === 0 ? one : two,
    counterpartyAccountId: i % 2 === 0 ? two : one,
    asset: 'USD',
    quantity: '10',
  }));
  await Promise.all(both.map((input) => done(graph, 'initiateSettlement', input)));
  hours += 24 * 7;
  await Promise.all([1, 2, 3].map(() => processQueue(context(), 500, now())));
  for (const fault of FAULTS) expect(await graph.sql('custodian', fault)).toEqual([]);
});

it('settles each once though its connections are cut again and again', async () => {
  const [one, two] = [account(0), account(2)];
  await done(graph, 'depositCustodyAsset', { accountId: one, asset: 'USD', amount: '500' });
  const ids: string[] = [];
  for (let i = 0; i < 15; i++) {
    const input = { type: 'TRANSFER', accountId: one, counterpartyAccountId: two, asset: 'USD', quantity: '3' };
    const { settlement } = await done(graph, 'initiateSettlement', input, 'settlement { settlementId }');
    ids.push(settlement.settlementId);
  }
  const wednesday = new Date('2030-01-09T17:00:00Z');
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                  and state = 'idle in transaction'`;
  const isDone = async () =>
    (
      await graph.sql('custodian', 'select from settlements where settlement_id = any($1) and status = $2', [
        ids,
        'COMPLETED',
      ])
    ).length === ids.length;
  for (let round = 0; round < 200 && !(await isDone()); round++) {
    const work = [1, 2].map(() => processQueue(context(), 500, wednesday).catch(() => [])); // whom it hits is told so
    if (round < 8) await graph.sql('custodian', cut);
    await Promise.all(work);
  }
  expect(await isDone()).toBe(true);
  for (const fault of FAULTS) expect(await graph.sql('custodian', fault)).toEqual([]);
});
