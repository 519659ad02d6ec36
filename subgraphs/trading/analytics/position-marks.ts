/**
 * What open positions are worth, written down every minute: the P&L of a moment that has passed cannot be reckoned from
 * what is stored otherwise. It is done beside the requests, so that a curve has no hole where nobody looked; the process
 * that leads the feed does it for all, and where two believe that they lead, both write the same rows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { LivePrices } from '../live-marks.ts';
import { valuedPositions } from '../positions.ts';

const MINUTE_MS = 60_000;

/** However many positions there are, it costs the database no more than this share of its time. */
const SHARE = 0.05;

/** Old rows are thinned out so often. */
const THIN_EVERY_MS = 3_600_000; // an hour

/** Minutes are kept for a week, hours for three months, days for good. */
const KEPT_DAYS = [
  { grain: 'hour', afterDays: 7 },
  { grain: 'day', afterDays: 90 },
];

/** Rows that one statement thins out. */
const THIN_ROWS = 10_000;

export interface PositionMarks {
  stop(): Promise<void>;
}

export function startPositionMarks({ db, feed, log }: ServiceParts, prices: () => LivePrices): PositionMarks {
  const stopping = new AbortController();
  const run = async () => {
    let waitMs = 0;
    let thinnedAt = Date.now();
    while (!stopping.signal.aborted) {
      await sleep(waitMs + MINUTE_MS - ((Date.now() + waitMs) % MINUTE_MS), undefined, stopping).catch(() => undefined);
      if (stopping.signal.aborted || !feed.isLeader()) continue;
      const startedAt = Date.now();
      try {
        await recordMarks(db, prices(), new Date());
        if (startedAt - thinnedAt > THIN_EVERY_MS) {
          await thinMarks(db, new Date());
          thinnedAt = startedAt;
        }
      } catch (error) {
        log.warn({ err: error }, 'the worth of positions was not written down; it will be in a minute');
      }
      waitMs = Math.max(0, (Date.now() - startedAt) / SHARE - MINUTE_MS);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Writes down the P&L of every open position whose P&L has moved since it was written last. */
export async function recordMarks(db: Database, prices: LivePrices, now: Date): Promise<void> {
  await db.query(sql`
    insert into position_marks (position_id, at, price, realized_pnl, unrealized_pnl)
    select held.position_id, date_trunc('minute', ${now.toISOString()}::timestamptz), held.price, held.realized_pnl,
           held.unrealized_pnl
      from ${valuedPositions(prices)} as held
      left join lateral (
        select realized_pnl, unrealized_pnl from position_marks where position_id = held.position_id
         order by at desc limit 1) as known on true
     where (known.realized_pnl, known.unrealized_pnl) is distinct from (held.realized_pnl, held.unrealized_pnl)
    on conflict do nothing`);
}

/** Of old minutes only the last of each hour stays, of old hours the last of each day. */
export async function thinMarks(db: Database, now: Date): Promise<void> {
  for (const { grain, afterDays } of KEPT_DAYS) {
    await db.query(sql`
      delete from position_marks where ctid = any(array(
        select old.ctid from position_marks as old
         where at < ${now.toISOString()}::timestamptz - make_interval(days => ${afterDays}::int)
           and exists (
             select from position_marks as later where later.position_id = old.position_id and later.at > old.at
                and later.at < date_trunc(${grain}::text, old.at, 'UTC') + ('1 ' || ${grain}::text)::interval)
         order by at limit ${THIN_ROWS}))`);
  }
}
