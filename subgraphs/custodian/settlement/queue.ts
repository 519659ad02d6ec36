/**
 * The queue of settlements that are due, worked in the order of their expected dates by any number of workers: each takes
 * the first that nobody else holds, a transaction an item, so that a worker that dies leaves nothing half done.
 */
import { command, goOnWith } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { badInput, Refusal } from '../../../platform/errors.ts';
import { type Calendars, isBusinessDay, regionsOf } from '../calendar/business-days.ts';
import { readCalendars } from '../calendar/calendars.ts';
import { newYorkTime } from '../calendar/new-york.ts';
import { delayOf, failureOf } from '../chaos/strikes.ts';
import type { Context, Tx } from '../context.ts';
import { stopBetween } from '../transfer/stops.ts';
import { jurisdictionsOf } from './instructing.ts';
import { restOf } from './legs.ts';
import { leaves } from './lifecycle.ts';
import { giveUp, type LockedSettlement, lockSettlementWhere, settle, start } from './settling.ts';

export type QueueOutcome = 'COMPLETED' | 'FAILED' | 'WAITING';

/** What became of one settlement. */
export interface QueueItem {
  settlementId: string;
  outcome: QueueOutcome;
  /** Why it failed or waits. */
  reason: string | null;
}

/** Settlements of one run at most. */
export const QUEUE_LIMIT = 500;

/** Settles what is due at `asOf`, at most `limit` settlements, and says what became of each. */
export async function processQueue(context: Context, limit: number, asOf: Date): Promise<QueueItem[]> {
  if (limit < 1 || limit > QUEUE_LIMIT) throw badInput(`limit must be from 1 to ${QUEUE_LIMIT}, but got ${limit}.`);
  const calendars = await readCalendars(context);
  const items: QueueItem[] = [];
  while (items.length < limit) {
    const seen = items.map(({ settlementId }) => settlementId);
    const item = await processNext(context, asOf, seen, calendars);
    if (!item) break;
    items.push(item);
  }
  return items;
}

async function processNext(
  context: Context,
  asOf: Date,
  seen: readonly string[],
  calendars: Calendars,
): Promise<QueueItem | null> {
  const { item, errors } = await command(context, 'processSettlement', {}, async (tx) => {
    const settlement = await lockSettlementWhere(
      tx,
      sql`where status in ('PENDING', 'PARTIALLY_SETTLED') and due_at <= ${asOf.toISOString()}::timestamptz
            and settlement_id <> all(${seen}::uuid[])
          order by expected_settlement_date, due_at, settlement_id limit 1 for no key update skip locked`,
    );
    if (!settlement) return { item: null };
    const own = await goOnWith(tx, context, settlement.traceId);
    return { item: await noteWait(tx, settlement, await work(tx, own, settlement, asOf, calendars)) };
  });
  const [refusal] = errors;
  if (refusal) throw new Refusal(refusal);
  return item ?? null;
}

async function work(
  tx: Tx,
  context: Context,
  settlement: LockedSettlement,
  asOf: Date,
  calendars: Calendars,
): Promise<QueueItem> {
  const { settlementId } = settlement;
  const wait = (reason: string): QueueItem => ({ settlementId, outcome: 'WAITING', reason });
  const obstacle =
    delayOf(context.faults, settlement.dueAt, asOf) ?? (await obstacleOf(tx, settlement, asOf, calendars));
  if (obstacle !== null) return wait(obstacle);
  const failure = failureOf(context.faults, settlementId);
  if (failure !== null) {
    await giveUp(tx, context, settlement, 'FAILED', failure);
    return { settlementId, outcome: 'FAILED', reason: failure };
  }
  try {
    await tx.$executeRaw(sql`savepoint settling`);
    const started = settlement.status === 'PENDING' ? await start(tx, context, settlement) : settlement;
    await settle(tx, context, started, restOf(started).quantity);
    return { settlementId, outcome: 'COMPLETED', reason: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await tx.$executeRaw(sql`rollback to savepoint settling`);
    if (asOf <= settlement.deadlineAt) return wait(error.message); // it may still be there in time
    await giveUp(tx, context, settlement, 'FAILED', error.message);
    return { settlementId, outcome: 'FAILED', reason: error.message };
  }
}

/** Says in the settlement why it waits, where that is new; what moves it on takes it back. */
async function noteWait(tx: Tx, { settlementId, waitReason }: LockedSettlement, item: QueueItem): Promise<QueueItem> {
  const { outcome, reason } = item;
  if (outcome === 'WAITING' && reason !== waitReason) {
    await tx.$executeRaw(
      sql`update settlements set wait_reason = ${reason} where settlement_id = ${settlementId}::uuid`,
    );
  }
  return item;
}

/** Why it is not its time though it is due, or null. */
async function obstacleOf(
  tx: Tx,
  { type, sourceAccountId, destinationAccountId, currency }: LockedSettlement,
  asOf: Date,
  calendars: Calendars,
): Promise<string | null> {
  const regions = regionsOf(await jurisdictionsOf(tx, [sourceAccountId, destinationAccountId]));
  const { date } = newYorkTime(asOf);
  if (!isBusinessDay(date, regions, calendars)) return `${date} is no business day in ${regions.join(' and ')}.`;
  const stop = leaves(type) ? await stopBetween(tx, sourceAccountId, destinationAccountId) : null;
  if (stop !== null) return stop;
  const payers = currency === null ? [sourceAccountId] : [sourceAccountId, destinationAccountId];
  const frozen = await tx.account.findFirst({
    where: { accountId: { in: payers }, status: 'FROZEN' },
    orderBy: { accountId: 'asc' },
  });
  return frozen ? `The account ${frozen.accountId} is FROZEN.` : null;
}
