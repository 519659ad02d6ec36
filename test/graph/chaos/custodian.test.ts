/** Settlements that are late, fail, or meet a holiday on purpose: what is held is whole throughout. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from '../custodian/audit.ts';
import { admit, inside, quote } from '../custodian/vault.ts';
import { ask, done } from '../exchange/floor.ts';
import { clear, inject } from './drill.ts';

/** A Monday noon in New York. */
const MONDAY = Date.parse('2026-03-02T17:00:00Z');
let graph: TestGraph;
let at = MONDAY;
beforeAll(async () => {
  graph = await startGraph({
    domains: ['market-data', 'exchange', 'custodian', 'registry'],
    isChaosOn: true,
    now: () => new Date(at),
  });
  await quote(graph, { BTC: '100' }, new Date(at));
});
afterAll(() => graph.close());
afterEach(async () => {
  await clear(graph, 'custodian', { runId: 'drill' });
  expect(await audit(graph)).toEqual({});
});

const run = { runId: 'drill', leaseSeconds: 3_600 };
const MINUTE = 60_000;

/** A deposit of so many BTC that has been instructed. */
async function instruct(accountId: string): Promise<string> {
  const input = { type: 'WITHDRAWAL', accountId, asset: 'BTC', quantity: '1' };
  return (await done(graph, 'initiateSettlement', input, 'settlement { settlementId }')).settlement.settlementId;
}

async function processQueue() {
  return (
    await done(
      graph,
      'processSettlementQueue',
      { asOf: new Date(at).toISOString(), limit: 100 },
      'items { outcome reason settlement { settlementId } }',
    )
  ).items.map((item: { settlement: { settlementId: string } }) => ({
    ...item,
    settlement: item.settlement.settlementId,
  }));
}

const settlement = async (id: string) =>
  (await ask(graph, 'query ($id: ID!) { settlement(id: $id) { status waitReason failureReason } }', { id })).settlement;

describe('settlements', () => {
  it('wait as long as they are delayed, say so, and are settled then', async () => {
    const { segregated } = await admit(graph, { BTC: '5' });
    const id = await instruct(segregated);
    const { faultId } = await inject(graph, 'custodian', {
      ...run,
      kind: 'SETTLEMENT_DELAY',
      parameters: { delaySeconds: 1_800 },
    });
    const reason = `Settlements are delayed by 1800 s on purpose (fault ${faultId}).`;
    at += 20 * MINUTE; // beyond its deadline
    expect(await processQueue()).toEqual([{ outcome: 'WAITING', reason, settlement: id }]);
    expect(await settlement(id)).toEqual({ status: 'PENDING', waitReason: reason, failureReason: null });
    expect(await inside(graph, segregated)).toEqual({ BTC: '4 + 1 + 0' });
    at += 20 * MINUTE; // the lease lasts, the delay is over
    expect(await processQueue()).toEqual([{ outcome: 'COMPLETED', reason: null, settlement: id }]);
    expect(await settlement(id)).toEqual({ status: 'COMPLETED', waitReason: null, failureReason: null });
    expect(await inside(graph, segregated)).toEqual({ BTC: '4 + 0 + 0' });
  });

  it('fail whole, with what they had reserved free again, and succeed when they are tried again', async () => {
    const { segregated } = await admit(graph, { BTC: '5' });
    const id = await instruct(segregated);
    const { faultId } = await inject(graph, 'custodian', {
      ...run,
      kind: 'SETTLEMENT_FAILURE',
      parameters: { share: '1' },
    });
    at += 6 * MINUTE;
    const reason = `The settlement failed on purpose (fault ${faultId}).`;
    expect(await processQueue()).toEqual([{ outcome: 'FAILED', reason, settlement: id }]);
    expect(await settlement(id)).toEqual({ status: 'FAILED', waitReason: null, failureReason: reason });
    expect(await inside(graph, segregated)).toEqual({ BTC: '5 + 0 + 0' });
    await clear(graph, 'custodian', { runId: 'drill' });
    const { settlement: again } = await done(
      graph,
      'retrySettlement',
      { settlementId: id },
      'settlement { settlementId }',
    );
    at += 6 * MINUTE;
    expect(await processQueue()).toEqual([{ outcome: 'COMPLETED', reason: null, settlement: again.settlementId }]);
    expect(await inside(graph, segregated)).toEqual({ BTC: '4 + 0 + 0' });
  });

  it('fail in about the share that is asked for, the same ones at every look', async () => {
    const { segregated } = await admit(graph, { BTC: '40' });
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) ids.push(await instruct(segregated));
    await inject(graph, 'custodian', { ...run, kind: 'SETTLEMENT_FAILURE', parameters: { share: '0.5' } });
    at += 6 * MINUTE;
    const outcomes = (await processQueue()).map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes).toHaveLength(30);
    expect(new Set(outcomes)).toEqual(new Set(['COMPLETED', 'FAILED']));
    const completed = outcomes.filter((outcome: string) => outcome === 'COMPLETED').length;
    expect(await inside(graph, segregated)).toEqual({ BTC: `${40 - completed} + 0 + 0` });
  });

  it('meet a holiday while it is there: nothing is settled, and dates are counted past it', async () => {
    const { segregated } = await admit(graph, { BTC: '5' });
    const id = await instruct(segregated);
    const isOpen = async () => (await ask(graph, '{ isBusinessDay(date: "2026-03-02") }')).isBusinessDay;
    expect(await isOpen()).toBe(true);
    await inject(graph, 'custodian', {
      ...run,
      kind: 'HOLIDAY',
      parameters: { date: '2026-03-02', calendar: 'US_NY' },
    });
    at += 6 * MINUTE;
    expect(await isOpen()).toBe(false);
    expect(await processQueue()).toMatchObject([{ outcome: 'WAITING', settlement: id }]);
    const date = '{ settlementDate(rail: CRYPTO_INTERNAL) { date } }';
    expect((await ask(graph, date)).settlementDate.date).toBe('2026-03-03');
    await clear(graph, 'custodian', { runId: 'drill' });
    expect((await ask(graph, date)).settlementDate.date).toBe('2026-03-02');
    expect(await processQueue()).toMatchObject([{ outcome: 'COMPLETED', settlement: id }]);
  });
});
