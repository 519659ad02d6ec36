/**
 * What open positions are worth, written down every minute: the P&L of a moment that has passed cannot be reckoned from
 * what is stored otherwise. It is done beside the requests, so that a curve has no hole where nobody looked; the process
 * that leads the feed does it for all, and where two believe that they lead, both write the same rows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../platform/database/database.ts';
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { LivePrices } from '../live-marks.ts';
import { valuedPositions } from '../positions.ts';

const MINUTE_MS = 60_000;

/** However many positions there are, it costs the database no more than this share of its time. */
const SHARE = 0.05;

/** Old marks are thrown away so often. */
const THIN_EVERY_MS = 3_600_000; // an hour

/** How fine a mark is: a minute, the first of its hour, the first of its day. */
export const GRAINS = { MINUTE: 0, HOUR: 1, DAY: 2 } as const;

/** Minutes are kept for a week, hours for three months, days for good. */
const KEPT_DAYS = [
  { grain: GRAINS.MINUTE, days: 7 },
  { grain: GRAINS.HOUR, days: 90 },
];

/** Rows that one statement throws away. */
const THIN_ROWS = 50_000;

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

/**
 * Writes down the P&L of every open position whose P&L has moved since it was written last. The first mark of an hour is one
 * of hours too, where it differs from the last of these, and so for days: each series tells by itself what was known.
 */
export async function recordMarks(db: Database, prices: LivePrices, now: Date): Promise<void> {
  const minute = sql`date_trunc('minute', ${now.toISOString()}::timestamptz)`;
  const last = (grain: Sql) => sql`(
    select at, realized_pnl, unrealized_pnl from position_marks
     where position_id = held.position_id and ${grain} order by at desc limit 1)`;
  const moved = (since: Sql) =>
    sql`(${since}.realized_pnl, ${since}.unrealized_pnl) is distinct from (held.realized_pnl, held.unrealized_pnl)`;
  const isFirstOf = (period: Sql, since: Sql) =>
    sql`coalesce(${since}.at < date_trunc(${period}, given.minute, 'UTC'), true) and ${moved(since)}`;
  await db.query(sql`
    insert into position_marks (position_id, at, price, realized_pnl, unrealized_pnl, grain)
    select position_id, minute, price, realized_pnl, unrealized_pnl, grain
      from (
        select held.*, given.minute,
               case when ${isFirstOf(raw(`'day'`), raw('of_days'))} then 2
                    when ${isFirstOf(raw(`'hour'`), raw('of_hours'))} then 1
                    when ${moved(raw('known'))} then 0 end as grain
          from ${valuedPositions(prices)} as held
         cross join (select ${minute} as minute) as given
          left join lateral ${last(raw('grain >= 2'))} as of_days on true
          left join lateral ${last(raw('grain >= 1'))} as of_hours on true
          left join lateral ${last(raw('true'))} as known on true) as due
     where grain is not null
    on conflict do nothing`);
}

/** Throws away minutes and hours that are no longer kept. */
export async function thinMarks(db: Database, now: Date): Promise<void> {
  for (const { grain, days } of KEPT_DAYS) {
    await db.query(sql`
      delete from position_marks where ctid = any(array(
        select ctid from position_marks
         where grain = ${grain}::smallint and at < ${now.toISOString()}::timestamptz - make_interval(days => ${days}::int)
         limit ${THIN_ROWS}))`);
  }
}
