/** In what a replica differs from the journal, and how it is brought in step (domain.md §9.5, shadow compare). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { differences as fieldsThatDiffer } from './backends/fields.ts';
import { journalled, liveTrades } from './backends/journal.ts';
import { ENDED_TTL_MS } from './backends/redis.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';
import type { TradeReplica } from './trade-store.ts';

export type DifferenceKind = 'MISSING' | 'UNKNOWN' | 'OLDER' | 'NEWER' | 'OTHER_CONTENT';

export interface Difference {
  tradeId: string;
  kind: DifferenceKind;
  /** What differs, by the names that stores use. */
  fields: string[];
  journalVersion: number | null;
  replicaVersion: number | null;
}

export interface Comparison {
  /** Trades that the replica should hold. */
  journalCount: number;
  /** Trades that it does. */
  replicaCount: number;
  differences: Difference[];
}

/** A change may be on its way to the replica: what differs is looked at again after this, a few times. */
const SETTLE_MS = 100;
const LOOKS = 5;

/** Trades ending later are kept by replicas; the margin is for clocks, and for what expires while it is looked at. */
const EXPIRY_MARGIN_MS = 3_600_000; // an hour

/** How the replica differs from the journal, once changes that are on their way have arrived. */
export async function compare(db: Database, replica: TradeReplica): Promise<Comparison> {
  const { expired: _, ...comparison } = await look(db, replica);
  for (let again = 1; again < LOOKS && comparison.differences.length > 0; again++) {
    await sleep(SETTLE_MS);
    const ids = comparison.differences.map(({ tradeId }) => tradeId);
    comparison.differences = await lookAt(db, replica, ids);
  }
  return comparison;
}

/**
 * Brings the replica in step with the journal, and says how many trades differed. A higher version wins, as `put` sees to
 * it: a change may overtake us. Of the same version the journal's content counts, since it was written first; and what
 * the journal does not know, or knows at a lower version, comes from another database or from before it was restored.
 */
export async function reconcile(db: Database, replica: TradeReplica, log: Logger): Promise<number> {
  const { differences, expired } = await look(db, replica);
  if (expired.length > 0) await replica.remove(expired);
  if (differences.length === 0) return 0;
  const confirmed = await lookAt(
    db,
    replica,
    differences.map(({ tradeId }) => tradeId),
  );
  const kinds = (...wanted: DifferenceKind[]) =>
    confirmed.filter(({ kind }) => wanted.includes(kind)).map(({ tradeId }) => tradeId);
  const foreign = kinds('UNKNOWN', 'NEWER');
  if (foreign.length > 0) await replica.remove(foreign);
  const trades = await journalled(
    db,
    confirmed.map(({ tradeId }) => tradeId),
  );
  await replica.put(trades.filter((trade) => isHeld(trade, Date.now() - ENDED_TTL_MS)));
  const odd = confirmed.filter(({ kind }) => kind === 'NEWER' || kind === 'OTHER_CONTENT');
  for (const difference of odd.slice(0, 20)) {
    log.warn({ backend: replica.name, ...difference }, "a managed trade differed; the journal's content was taken");
  }
  log.info({ backend: replica.name, differed: confirmed.length, odd: odd.length }, 'managed trades were reconciled');
  return confirmed.length;
}

/** `expired`: trades that the replica need not hold any longer. */
async function look(db: Database, replica: TradeReplica): Promise<Comparison & { expired: string[] }> {
  const held = new Set(await replica.ids());
  const comparison: Comparison = { journalCount: 0, replicaCount: held.size, differences: [] };
  const since = new Date(Date.now() - ENDED_TTL_MS + EXPIRY_MARGIN_MS).toISOString();
  for await (const trades of liveTrades(db, since)) {
    comparison.journalCount += trades.length;
    const copies = await replica.readMany(trades.map(({ tradeId }) => tradeId));
    for (const [at, trade] of trades.entries()) {
      held.delete(trade.tradeId);
      const difference = between(trade, copies[at] ?? null);
      if (difference) comparison.differences.push(difference);
    }
  }
  const others = new Map((await journalled(db, [...held])).map((trade) => [trade.tradeId, trade]));
  for (const tradeId of held) if (!others.has(tradeId)) comparison.differences.push(between(null, null, tradeId));
  const isExpired = (trade: ManagedTrade) => !isHeld(trade, Date.now() - ENDED_TTL_MS);
  return { ...comparison, expired: [...others.values()].filter(isExpired).map(({ tradeId }) => tradeId) };
}

/** The same for a few trades. */
async function lookAt(db: Database, replica: TradeReplica, tradeIds: readonly string[]): Promise<Difference[]> {
  const copies = await replica.readMany(tradeIds);
  const trades = new Map((await journalled(db, tradeIds)).map((trade) => [trade.tradeId, trade]));
  return tradeIds.flatMap((tradeId, at) => {
    const [trade, copy] = [trades.get(tradeId) ?? null, copies[at] ?? null];
    return trade || copy ? (between(trade, copy, tradeId) ?? []) : [];
  });
}

function between(trade: ManagedTrade, copy: ManagedTrade | null): Difference | null;
function between(trade: null, copy: null, tradeId: string): Difference;
function between(trade: ManagedTrade | null, copy: ManagedTrade | null, tradeId: string): Difference | null;
function between(
  trade: ManagedTrade | null,
  copy: ManagedTrade | null,
  tradeId = trade?.tradeId ?? '',
): Difference | null {
  const versions = { journalVersion: trade?.version ?? null, replicaVersion: copy?.version ?? null };
  if (!trade) return { tradeId, kind: 'UNKNOWN', fields: [], ...versions };
  if (!copy) return { tradeId, kind: 'MISSING', fields: [], ...versions };
  const fields = fieldsThatDiffer(trade, copy);
  if (fields.length === 0) return null;
  if (trade.version === copy.version) return { tradeId, kind: 'OTHER_CONTENT', fields, ...versions };
  return { tradeId, kind: copy.version < trade.version ? 'OLDER' : 'NEWER', fields, ...versions };
}

/** Whether a replica keeps the trade: it has not ended, or not before then. */
export function isHeld({ archivedAt, updatedAt }: ManagedTrade, endedSinceMs: number): boolean {
  return archivedAt === null || Date.parse(updatedAt) > endedSinceMs;
}
