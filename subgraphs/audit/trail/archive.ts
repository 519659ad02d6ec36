/** Puts whole days aside: the rows as they are, with what joins them on to the rest of their chains. */
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';

/** Days put aside in one transaction: each locks out readers for a moment. */
export const DAYS_AT_ONCE = 31;

export interface Archived {
  dayCount: number;
  eventCount: number;
}

/** Puts the days aside that lie wholly before the instant and hold no event that is still to be worked on. */
export async function archiveBefore(tx: Statements, before: string, by: string): Promise<Archived> {
  const days = await tx.query<{ day: string }>(sql`
    select to_char(day, 'YYYY-MM-DD') as day
      from (select to_date(right(relname, 8), 'YYYYMMDD') as day from pg_inherits join pg_class on oid = inhrelid
             where inhparent = 'audit_events'::regclass) as partitions
     where (day + 1)::timestamp at time zone 'UTC' <= ${before}::timestamptz
       and not exists (select from sealed_events where status in ('pending', 'failed')
                          and timestamp >= day::timestamp at time zone 'UTC'
                          and timestamp < (day + 1)::timestamp at time zone 'UTC')
     order by day limit ${DAYS_AT_ONCE}`);
  let eventCount = 0;
  for (const { day } of days) {
    const [row] = await tx.query<{ moved: string }>(sql`select archive_event_day(${day}::date, ${by})::text as moved`);
    eventCount += Number(row?.moved ?? 0);
  }
  return { dayCount: days.length, eventCount };
}
