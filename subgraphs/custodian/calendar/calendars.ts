/** The calendars as they are stored, and an administrator's word on a day. */
import type { ActiveFaults } from '../../../platform/chaos/active-faults.ts';
import { type CommandPayload, command } from '../../../platform/command.ts';
import type { Database } from '../../../platform/database/database.ts';
import { allOf, type Sql, sql } from '../../../platform/database/sql.ts';
import { badInput, refuse } from '../../../platform/errors.ts';
import { equals, is } from '../../../platform/filters.ts';
import { isStorable } from '../../../platform/texts.ts';
import { withHolidays } from '../chaos/strikes.ts';
import type { Context, Tx } from '../context.ts';
import type { SetBusinessDayInput } from '../generated/resolvers.ts';
import type { Calendars, Region } from './business-days.ts';

/** A row of `business_days`. */
export interface BusinessDayRow {
  region: Region;
  /** "2026-12-25" */
  date: string;
  isHoliday: boolean;
  note: string;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type BusinessDayPayload = CommandPayload<{ region: Region; date: string }>;

const NOTE_LENGTH = 200;
/** Days of one answer: ten years of one region's holidays. */
const DAYS_LIMIT = 500;

/** Where the days are stored, and what adds to them. */
type Days = { db: Pick<Database, 'query'>; faults: ActiveFaults };

/** Every day that is not what its weekday says. A few hundred rows. */
export async function readCalendars({ db, faults }: Days): Promise<Calendars> {
  const rows = await db.query<BusinessDayRow>(sql`select region, date, is_holiday from business_days`);
  return withHolidays(new Map(rows.map(({ region, date, isHoliday }) => [`${region} ${date}`, isHoliday])), faults);
}

/** The days on record in a half-open range of dates. */
export function businessDays(
  { db }: Context,
  {
    region,
    from,
    to,
    isHoliday,
  }: { region?: string | null | undefined; from: string; to: string; isHoliday?: boolean | null | undefined },
): Promise<BusinessDayRow[]> {
  const conditions: Sql[] = [
    sql`date >= ${dateOf(from, 'from')}::date`,
    sql`date < ${dateOf(to, 'to')}::date`,
    ...equals('region', region),
    ...is('is_holiday', isHoliday),
  ];
  return db.query<BusinessDayRow>(
    sql`select * from business_days where ${allOf(conditions)} order by date, region limit ${DAYS_LIMIT}`,
  );
}

/** Says that a day is a holiday, or a working day. Settlements that are due on it wait. */
export function setBusinessDay(context: Context, input: SetBusinessDayInput): Promise<BusinessDayPayload> {
  return command(context, 'setBusinessDay', input, async (tx) => {
    const { region, isHoliday, note = '' } = input;
    const path = ['input', 'date'];
    if (!isDate(input.date)) throw refuse.validation(`"${input.date}" is no date. Write for example 2026-12-25.`, path);
    const text = note ?? '';
    if ([...text].length > NOTE_LENGTH || !isStorable(text)) {
      throw refuse.validation(`note must have at most ${NOTE_LENGTH} characters.`, ['input', 'note']);
    }
    await tx.$executeRaw(
      sql`insert into business_days as kept (region, date, is_holiday, note, trace_id)
          values (${region}, ${input.date}::date, ${isHoliday}, ${text}, ${context.traceId})
          on conflict (region, date) do update
             set is_holiday = excluded.is_holiday, note = excluded.note, trace_id = excluded.trace_id`,
    );
    return { region, date: input.date };
  });
}

/** The day on record, or null. */
export function businessDay({ db }: Context, region: Region, date: string): Promise<BusinessDayRow | null> {
  return db.one<BusinessDayRow>(sql`select * from business_days where region = ${region} and date = ${date}::date`);
}

/** @throws GraphQLError (bad input) when the text is no date */
export function dateOf(text: string, name: string): string {
  if (!isDate(text)) throw badInput(`${name} must be a date such as 2026-12-25, but got "${text}".`, [name]);
  return text;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const read = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(text);
}

/** The same within a command. */
export async function calendarsWithin(tx: Tx, { faults }: Pick<Days, 'faults'>): Promise<Calendars> {
  const rows = await tx.$queryRaw<{ region: Region; date: string; isHoliday: boolean }[]>(
    sql`select region, date::text as date, is_holiday as "isHoliday" from business_days`,
  );
  return withHolidays(new Map(rows.map(({ region, date, isHoliday }) => [`${region} ${date}`, isHoliday])), faults);
}
