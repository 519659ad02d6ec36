/** Settlements: instructed, queued, posted with both legs or neither, given up, tried again. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { newYorkInstant } from '../../../subgraphs/custodian/calendar/new-york.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, refused, send } from '../exchange/floor.ts';
import { audit } from './audit.ts';
import { admit, inside, quote } from './vault.ts';

/** Wednesday, by New York's clock. */
const at = (text: string) => newYorkInstant({ date: text.slice(0, 10), time: text.slice(11) });

let now = at('2026-11-18 10:00:00');
let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, now: () => now });
  await quote(graph, { BTC: '50000', ETH: '2500' }, now);
});
afterAll(() => graph.close());

const SETTLEMENT = `settlementId status settledQuantity reservedQuantity settledCash reservedCash failureReason
  tradeDate expectedDate completedAt version`;

const initiate = async (input: object) =>
  (await done(graph, 'initiateSettlement', input, `isNew settlement { ${SETTLEMENT} }`)).settlement;

async function pair() {
  const seller = (await admit(graph, { BTC: '2' })).segregated;
  const buyer = (await admit(graph, { USD: '200000' })).segregated;
  return { seller, buyer };
}

const sale = (seller: string, buyer: string, more: object = {}) => ({
  type: 'TRANSFER',
  accountId: seller,
  counterpartyAccountId: buyer,
  asset: 'BTC',
  quantity: '2',
  currency: 'USD',
  cashAmount: '100000.01',
  rail: 'CRYPTO_INTERNAL',
  ...more,
});

/** What became of these settlements in one run of the queue. */
async function work(asOf: Date, ids: string[]): Promise<Record<string, [string, string | null]>> {
  const { items } = await done(
    graph,
    'processSettlementQueue',
    { asOf: asOf.toISOString(), limit: 500 },
    'items { outcome reason settlement { settlementId } }',
  );
  const known = items.filter((item: { settlement: { settlementId: string } }) =>
    ids.includes(item.settlement.settlementId),
  );
  return Object.fromEntries(
    known.map((item: { settlement: { settlementId: string }; outcome: string; reason: string | null }) => [
      item.settlement.settlementId,
      [item.outcome, item.reason],
    ]),
  );
}

describe('an instruction', () => {
  it('reserves what both sides will give, and is given again under its external id', async () => {
    const { seller, buyer } = await pair();
    const input = sale(seller, buyer, { externalId: `sale-${seller}` });
    const settlement = await initiate(input);
    expect(settlement).toMatchObject({ status: 'PENDING', tradeDate: '2026-11-18', expectedDate: '2026-11-18' });
    expect(await inside(graph, seller)).toEqual({ BTC: '0 + 2 + 0' });
    expect(await inside(graph, buyer)).toEqual({ USD: '99999.99 + 100000.01 + 0' });
    const again = await done(graph, 'initiateSettlement', input, 'isNew settlement { settlementId }');
    expect(again).toEqual({ isNew: false, settlement: { settlementId: settlement.settlementId } });
    const other = { ...input, quantity: '1' };
    expect(await refused(graph, 'initiateSettlement', other)).toMatchObject({ code: 'CONFLICT' });
    const { found } = await ask(
      graph,
      'query ($id: String!) { found: settlementByExternalId(externalId: $id) { settlementId } }',
      { id: `sale-${seller}` },
    );
    expect(found).toEqual({ settlementId: settlement.settlementId });
  });

  it.each([
    ['more than is there', { quantity: '3' }, 'INSUFFICIENT_FUNDS'],
    ['nothing', { quantity: '0' }, 'VALIDATION_FAILED'],
    ['to itself', { counterpartyAccountId: null }, 'VALIDATION_FAILED'],
    ['a payment without a currency', { currency: null }, 'VALIDATION_FAILED'],
    [
      'more than ten million dollars',
      { quantity: '200.00000001', currency: null, cashAmount: null },
      'VALIDATION_FAILED',
    ],
    ['what has no price', { asset: 'BTC2', currency: null, cashAmount: null }, 'NOT_FOUND'],
    ['from nowhere', { accountId: 'nobody' }, 'NOT_FOUND'],
  ])('is refused of %s', async (_, more, code) => {
    const { seller, buyer } = await pair();
    expect(await refused(graph, 'initiateSettlement', sale(seller, buyer, more))).toMatchObject({ code });
    expect(await inside(graph, seller)).toEqual({ BTC: '2 + 0 + 0' });
  });

  it('keeps clients and the house apart', async () => {
    const { seller } = await pair();
    const toHouse = sale(seller, 'fees', { currency: null, cashAmount: null });
    expect((await refused(graph, 'initiateSettlement', toHouse)).message).toContain('are kept apart');
  });
});

describe('a settlement', () => {
  it('is completed by hand in parts, each with its share of the payment', async () => {
    const { seller, buyer } = await pair();
    const { settlementId } = await initiate(sale(seller, buyer));
    expect(await refused(graph, 'completeSettlement', { settlementId })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'PENDING',
      allowed: ['IN_PROGRESS', 'CANCELLED', 'FAILED'],
    });
    await done(graph, 'startSettlement', { settlementId, actor: 'ops' });
    const complete = (quantity?: string) =>
      done(graph, 'completeSettlement', { settlementId, quantity }, `settlement { ${SETTLEMENT} }`);
    expect((await complete('0.3')).settlement).toMatchObject({
      status: 'PARTIALLY_SETTLED',
      settledQuantity: '0.3',
      settledCash: '15000.0015',
      reservedQuantity: '1.7',
    });
    expect(await refused(graph, 'completeSettlement', { settlementId, quantity: '1.8' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    const finished = (await complete()).settlement;
    expect(finished).toMatchObject({ status: 'COMPLETED', settledCash: '100000.01', reservedCash: '0' });
    expect((await complete()).settlement.version).toBe(finished.version); // again, and nothing happens
    expect(await inside(graph, seller)).toEqual({ BTC: '0 + 0 + 0', USD: '100000.01 + 0 + 0' });
    expect(await inside(graph, buyer)).toEqual({ BTC: '2 + 0 + 0', USD: '99999.99 + 0 + 0' });
    for (const name of ['startSettlement', 'cancelSettlement']) {
      expect(await refused(graph, name, { settlementId })).toMatchObject({ code: 'INVALID_TRANSITION', allowed: [] });
    }
    const { custodyAuditTrail: trail } = await ask(
      graph,
      'query ($id: ID!) { custodyAuditTrail(filter: { subjectId: $id }, sortOrder: ASC) { nodes { to actor } } }',
      { id: settlementId },
    );
    expect(trail.nodes.map(({ to }: { to: string }) => to)).toEqual([
      'PENDING',
      'IN_PROGRESS',
      'PARTIALLY_SETTLED',
      'COMPLETED',
    ]);
    expect(trail.nodes[1].actor).toBe('ops');
  });

  it('gives back what it reserved when it is cancelled, or fails halfway', async () => {
    const { seller, buyer } = await pair();
    const { settlementId: cancelled } = await initiate(sale(seller, buyer));
    await done(graph, 'cancelSettlement', { settlementId: cancelled });
    expect(await inside(graph, buyer)).toEqual({ USD: '200000 + 0 + 0' });
    const { settlementId } = await initiate(sale(seller, buyer));
    await done(graph, 'startSettlement', { settlementId });
    await done(graph, 'completeSettlement', { settlementId, quantity: '0.5' });
    const failed = await done(
      graph,
      'failSettlement',
      { settlementId, reason: 'the chain halted' },
      `settlement { ${SETTLEMENT} }`,
    );
    expect(failed.settlement).toMatchObject({ status: 'FAILED', failureReason: 'the chain halted', reservedCash: '0' });
    expect(await inside(graph, seller)).toEqual({ BTC: '1.5 + 0 + 0', USD: '25000.0025 + 0 + 0' });

    const retry = await done(
      graph,
      'retrySettlement',
      { settlementId },
      'settlement { settlementId quantity cashAmount retryOf { settlementId } }',
    );
    expect(retry.settlement).toMatchObject({ quantity: '1.5', cashAmount: '75000.0075', retryOf: { settlementId } });
    expect(await refused(graph, 'retrySettlement', { settlementId })).toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    await done(graph, 'cancelSettlement', { settlementId: retry.settlement.settlementId });
    expect(await refused(graph, 'retrySettlement', { settlementId })).toMatchObject({ code: 'CONFLICT' });
  });
});

describe('the queue', () => {
  it('settles what is due, in the order of expected dates, and nothing before', async () => {
    const { seller, buyer } = await pair();
    const half = (rail: string) => initiate(sale(seller, buyer, { rail, quantity: '1', cashAmount: '50000' }));
    const [slow, fast] = [(await half('WIRE_DOMESTIC')).settlementId, (await half('CRYPTO_INTERNAL')).settlementId];
    expect(await work(now, [slow, fast])).toEqual({});
    expect(await work(at('2026-11-18 10:05:00'), [slow, fast])).toEqual({ [fast]: ['COMPLETED', null] });
    expect(await work(at('2026-11-20 08:59:59'), [slow, fast])).toEqual({});
    expect(await work(at('2026-11-20 09:00:00'), [slow, fast])).toEqual({ [slow]: ['COMPLETED', null] });
    const { pendingSettlements } = await ask(
      graph,
      'query ($id: ID!) { pendingSettlements(accountId: $id) { nodes { settlementId } } }',
      { id: buyer },
    );
    expect(pendingSettlements.nodes).toEqual([]);
  });

  it('waits on days that are no business days, also when that is said late', async () => {
    const { seller, buyer } = await pair();
    const { settlementId } = await initiate(sale(seller, buyer, { rail: 'CRYPTO_EXTERNAL' }));
    const day = { region: 'US_NY', date: '2026-11-19', note: 'a storm' };
    await done(graph, 'setBusinessDay', { ...day, isHoliday: true }, 'businessDay { isHoliday }');
    expect(await work(at('2026-11-19 12:00:00'), [settlementId])).toEqual({
      [settlementId]: ['WAITING', '2026-11-19 is no business day in US_NY.'],
    });
    const { businessDays, isBusinessDay, settlementDate } = await ask(
      graph,
      `{ businessDays(from: "2026-11-19", to: "2026-11-20") { date note isHoliday }
         isBusinessDay(date: "2026-11-19")
         settlementDate(rail: CRYPTO_EXTERNAL) { date cycle } }`,
    );
    expect({ businessDays, isBusinessDay, settlementDate }).toEqual({
      businessDays: [{ date: '2026-11-19', note: 'a storm', isHoliday: true }],
      isBusinessDay: false,
      settlementDate: { date: '2026-11-20', cycle: 'T1' },
    });
    await done(graph, 'setBusinessDay', { ...day, isHoliday: false });
    expect(await work(at('2026-11-19 12:00:00'), [settlementId])).toEqual({ [settlementId]: ['COMPLETED', null] });
  });

  it('waits while the source is frozen', async () => {
    const { seller, buyer } = await pair();
    const { settlementId } = await initiate(sale(seller, buyer, { currency: null, cashAmount: null }));
    await done(graph, 'freezeAccount', { accountId: seller, reason: 'a court asks' });
    const due = at('2026-11-18 10:30:00');
    expect(await work(due, [settlementId])).toEqual({
      [settlementId]: ['WAITING', `The account ${seller} is FROZEN.`],
    });
    await done(graph, 'unfreezeAccount', { accountId: seller });
    expect(await work(due, [settlementId])).toEqual({ [settlementId]: ['COMPLETED', null] });
  });

  it('is worked by many at once, each settlement exactly once', async () => {
    const { seller, buyer } = await pair();
    const inputs = Array.from({ length: 20 }, () => sale(seller, buyer, { quantity: '0.1', cashAmount: '1000' }));
    const ids: string[] = [];
    for (const input of inputs) ids.push((await initiate(input)).settlementId);
    const due = at('2026-11-18 11:00:00');
    const rounds = await Promise.all([work(due, ids), work(due, ids), work(due, ids)]);
    expect(rounds.flatMap((round) => Object.keys(round)).toSorted()).toEqual(ids.toSorted());
    expect(await inside(graph, buyer)).toEqual({ BTC: '2 + 0 + 0', USD: '180000 + 0 + 0' });
  });

  it('takes no more than 500 at a time', async () => {
    const { errors } = await graph.run(
      'mutation { processSettlementQueue(input: { limit: 501 }) { items { outcome } } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  it('adds up in the end', async () => {
    expect(await audit(graph)).toEqual({});
  });
});

describe('what comes and goes', () => {
  it('is settled against the world outside', async () => {
    const { segregated: accountId } = await admit(graph);
    const arrival = await initiate({
      type: 'DEPOSIT',
      accountId,
      asset: 'ETH',
      quantity: '4',
      rail: 'CRYPTO_EXTERNAL',
    });
    const due = at('2026-11-19 09:00:00');
    expect(await work(due, [arrival.settlementId])).toEqual({ [arrival.settlementId]: ['COMPLETED', null] });
    const leaving = await initiate({
      type: 'WITHDRAWAL',
      accountId,
      asset: 'ETH',
      quantity: '1',
      rail: 'CRYPTO_EXTERNAL',
    });
    expect(await inside(graph, accountId)).toEqual({ ETH: '3 + 1 + 0' });
    await work(due, [leaving.settlementId]);
    expect(await inside(graph, accountId)).toEqual({ ETH: '3 + 0 + 0' });
  });

  it('is found by what it is', async () => {
    const { seller, buyer } = await pair();
    const { settlementId } = await initiate(sale(seller, buyer));
    const filters = [
      `accountId: "${buyer}"`,
      `accountId: "${seller}", type: TRANSFER, asset: "btc", statuses: [PENDING], rail: CRYPTO_INTERNAL`,
      `accountId: "${seller}", dueBefore: "2026-11-18T16:00:00Z", from: "2026-11-18T15:00:00Z", to: "2026-11-18T15:00:01Z"`,
    ];
    for (const filter of filters) {
      const { settlements } = await ask(graph, `{ settlements(filter: { ${filter} }) { nodes { settlementId } } }`);
      expect(settlements.nodes).toEqual([{ settlementId }]);
    }
    const { settlements } = await ask(
      graph,
      `{ settlements(filter: { accountId: "${seller}", statuses: [COMPLETED] }) { nodes { status } } }`,
    );
    expect(settlements.nodes).toEqual([]);
  });

  it('waits for funds until its deadline, then fails and leaves nothing behind', async () => {
    const { segregated } = await admit(graph, { USD: '10' });
    const id = crypto.randomUUID();
    await graph.sql('custodian', `insert into assets (code, is_cash) values ('BTC', false) on conflict do nothing`);
    await graph.sql(
      'custodian',
      `insert into settlements (settlement_id, instruction_type, rail, cycle, account_id, source_account_id,
         destination_account_id, asset, quantity, currency, cash_amount, trade_date, expected_settlement_date, due_at,
         deadline_at, initiated_at)
       values ($1, 'TRADE_SETTLEMENT', 'CRYPTO_INTERNAL', 'T0', $2, 'external', $2, 'BTC', 1, 'USD', 11, '2026-11-18',
         '2026-11-18', $3, $4, $3)`,
      [id, segregated, at('2026-11-18 10:05:00'), at('2026-11-18 10:15:00')],
    );
    const reason = '11 USD are needed and 10 are available.';
    expect(await work(at('2026-11-18 10:10:00'), [id])).toEqual({ [id]: ['WAITING', reason] });
    expect(await work(at('2026-11-18 10:15:01'), [id])).toEqual({ [id]: ['FAILED', reason] });
    expect(await inside(graph, segregated)).toMatchObject({ USD: '10 + 0 + 0' });
    now = at('2026-11-18 10:30:00');
    expect(await send(graph, 'startSettlement', { settlementId: id })).toMatchObject({
      errors: [{ code: 'INVALID_TRANSITION' }],
    });
  });

  it.each([
    [
      'completed cannot be undone',
      `update settlements set status = 'PENDING' where status = 'COMPLETED'`,
      'cannot become',
    ],
    [
      'pending cannot be completed at once',
      `update settlements set status = 'COMPLETED' where status = 'PENDING'`,
      'cannot become',
    ],
    [
      'half of a payment is none',
      `update settlements set currency = null where currency is not null and status = 'PENDING'`,
      'settlements_payment',
    ],
    ['none is deleted', 'delete from settlements', 'never changed'],
  ])('by plain SQL too: %s', async (_, statement, reason) => {
    const { seller, buyer } = await pair();
    await initiate(sale(seller, buyer));
    await expect(graph.sql('custodian', statement)).rejects.toThrow(reason);
  });
});
