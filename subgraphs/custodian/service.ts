/**
 * What the custodian does by itself: trades become settlements, what is due is settled, approvals that nobody gave run out,
 * and the books are compared with the exchange's. Any number of processes may do so at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../platform/database/sql.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { isBusinessDay } from './calendar/business-days.ts';
import { readCalendars } from './calendar/calendars.ts';
import { newYorkTime } from './calendar/new-york.ts';
import { isHeldUp } from './chaos/strikes.ts';
import type { Context } from './context.ts';
import { runReconciliation } from './reconciliation/reconciling.ts';
import { type CustodianSettings, settings } from './settings.ts';
import { processQueue } from './settlement/queue.ts';
import { TradeBells } from './settlement/trade-bells.ts';
import { followTrades, QUICK_OVERLAP_MS, SURE_OVERLAP_MS } from './settlement/trade-follower.ts';
import { expireRequests } from './transfer/voting.ts';

type Parts = Pick<ServiceParts, 'db' | 'graph' | 'faults' | 'feed' | 'log' | 'now' | 'context'>;

export interface CustodianService {
  stop(): Promise<void>;
}

/** All trades of the last minute are looked at again so often, whether or not a bell has rung. */
const SURE_LOOK_MS = 30_000; // 30 seconds
/** Looks at the queue. */
const QUEUE_LOOK_MS = 1_000; // 1 second
/** The same while everything that is due waits for something. */
const QUEUE_WAIT_MS = 30_000; // 30 seconds
const QUEUE_BATCH = 100;

export function startCustodian(parts: Parts, how: CustodianSettings = settings): CustodianService {
  const stopping = new AbortController();
  const { signal } = stopping;
  const context = () => parts.context() as Context;
  const bells = how.followTrades ? new TradeBells(parts) : undefined;
  const running: Promise<void>[] = [];

  if (bells) {
    let lastSureLook = Number.NEGATIVE_INFINITY;
    const follow = async () => {
      await bells.listen();
      const isSure = performance.now() - lastSureLook >= SURE_LOOK_MS;
      if (isSure && !parts.feed.isLeader()) lastSureLook = performance.now();
      else if (isSure || bells.hasRung()) {
        await followTrades(context(), isSure ? SURE_OVERLAP_MS : QUICK_OVERLAP_MS);
        if (isSure) lastSureLook = performance.now();
      }
      await Promise.race([bells.ringing(), sleep(SURE_LOOK_MS / 2, undefined, { signal }).catch(() => undefined)]);
    };
    signal.addEventListener('abort', () => bells.stop(), { once: true });
    running.push(repeat(parts, signal, 'trades are not followed', follow));
  }
  if (how.settle)
    running.push(repeat(parts, signal, 'the queue is not worked', () => workQueue(parts, context(), signal)));
  if (how.reconcileSeconds > 0) {
    const reconcile = async () => {
      await sleep(how.reconcileSeconds * 1_000, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && parts.feed.isLeader() && (await hasLinks(parts))) await runReconciliation(context(), {});
    };
    running.push(repeat(parts, signal, 'the books are not compared', reconcile));
  }

  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** Whatever fails is tried again after this, with some chance. */
const RETRY_MS = 1_000;

/** Does it again and again until it is stopped. What fails is said once, until it succeeds again. */
async function repeat(
  { feed, log }: Parts,
  signal: AbortSignal,
  trouble: string,
  work: () => Promise<void>,
): Promise<void> {
  let isInTrouble = false;
  while (!signal.aborted) {
    try {
      await feed.ready();
      await work();
      isInTrouble = false;
    } catch (error) {
      if (!isInTrouble && !signal.aborted) log.info({ reason: (error as Error).message }, trouble);
      isInTrouble = true;
      await sleep(RETRY_MS * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function workQueue({ db, faults, now }: Parts, context: Context, signal: AbortSignal): Promise<void> {
  let pauseMs = QUEUE_LOOK_MS;
  const at = now();
  const due = await db.one<{ approvals: boolean; settlements: boolean }>(
    sql`select exists (select from approval_requests
                        where status = 'PENDING' and expires_at <= ${at.toISOString()}::timestamptz) as approvals,
               exists (select from settlements where status in ('PENDING', 'PARTIALLY_SETTLED')
                          and due_at <= ${at.toISOString()}::timestamptz) as settlements`,
  );
  if (due?.approvals) await expireRequests(context);
  if (due?.settlements) {
    const isOpen = isBusinessDay(newYorkTime(at).date, ['US_NY'], await readCalendars({ db, faults }));
    const items = isOpen ? await processQueue(context, QUEUE_BATCH, at) : [];
    const allWait = items.every(({ outcome }) => outcome === 'WAITING');
    if (allWait && !isHeldUp(faults)) pauseMs = QUEUE_WAIT_MS;
    else if (items.length === QUEUE_BATCH) return;
  }
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
}

async function hasLinks({ db }: Parts): Promise<boolean> {
  return (await db.one(sql`select from account_links limit 1`)) !== null;
}
