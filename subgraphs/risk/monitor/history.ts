/** What portfolios were worth before: at the beginning of the day, and at their best. */
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { type CapitalPoint, PERIOD_DAYS } from '../rules/returns.ts';

export interface Past {
  /** Total P&L at midnight UTC, or when it was first seen after that; null where it never was. */
  startOfDay: Decimal | null;
  /** Highest equity in the period; null where it was never known. */
  peakEquity: Decimal | null;
  /** The last of each of its earlier days in the period on which its equity was known, the oldest first. */
  days: CapitalPoint[];
}

interface PastRow {
  accountId: string;
  startOfDay: string | null;
  peakEquity: string | null;
  days: { equity: string; totalPnl: string }[] | null;
}

const TTL_MS = 15_000;

export class History {
  private readonly db: Database;
  private readonly now: () => Date;
  private past = new Map<string, Past>();
  private readAt = 0;
  private day = '';
  private reading: Promise<void> | null = null;

  constructor(db: Database, now: () => Date) {
    this.db = db;
    this.now = now;
  }

  /** What is known of an account. */
  of(accountId: string): Past {
    return this.past.get(accountId) ?? { startOfDay: null, peakEquity: null, days: [] };
  }

  /** Reads what is old by now. */
  refresh(isAnew = false): Promise<void> {
    const day = this.now().toISOString().slice(0, 10);
    if (!isAnew && day === this.day && Date.now() - this.readAt < TTL_MS) return Promise.resolve();
    this.reading ??= this.read(day).finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async read(day: string): Promise<void> {
    const midnight = `${day}T00:00:00Z`;
    const rows = await this.db.query<PastRow>(sql`
      select account_id,
             coalesce((array_agg(total_pnl order by minute desc) filter (where minute <= ${midnight}::timestamptz))[1],
                      (array_agg(total_pnl order by minute) filter (where minute > ${midnight}::timestamptz))[1]) as start_of_day,
             max(equity) as peak_equity,
             json_agg(json_build_object('equity', equity::text, 'totalPnl', total_pnl::text) order by minute)
               filter (where is_last and minute < ${midnight}::timestamptz) as days
        from (select *, equity is not null and row_number() over (
                       partition by account_id, date_trunc('day', minute, 'UTC'), equity is null order by minute desc) = 1 as is_last
                from portfolio_points
               where minute > ${midnight}::timestamptz - make_interval(days => ${PERIOD_DAYS})) as points
       group by account_id`);
    this.past = new Map(
      rows.map(({ accountId, startOfDay, peakEquity, days }) => [
        accountId,
        {
          startOfDay: startOfDay === null ? null : dec(startOfDay),
          peakEquity: peakEquity === null ? null : dec(peakEquity),
          days: (days ?? []).map(({ equity, totalPnl }) => ({ equity: dec(equity), totalPnl: dec(totalPnl) })),
        },
      ]),
    );
    this.day = day;
    this.readAt = Date.now();
  }
}
