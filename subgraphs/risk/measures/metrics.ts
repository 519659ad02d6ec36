/** Metrics: what is stored of them and how they are read. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { badInput } from '../../../platform/errors.ts';
import { equals, is, within } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import type { RiskMetricFilter } from '../generated/resolvers.ts';
import { accountReference, PORTFOLIO } from '../references.ts';
import type { NewMetric } from './calculation.ts';

/** A row of `risk_metrics`. */
export interface RiskMetricRow extends NewMetric {
  metricId: string;
}

export type RiskMetricPage = Connection<RiskMetricRow>;

export const metrics = entity<RiskMetricRow>({
  name: 'RiskMetric',
  table: 'risk_metrics',
  key: 'metric_id',
  keyType: 'uuid',
});

export const metricList = connectionSource<RiskMetricRow>({
  table: 'risk_metrics',
  id: 'metric_id',
  sorts: { CALCULATED_AT: 'calculation_timestamp' },
});

/** The instrument of a metric: a symbol in its one spelling, or the portfolio. */
export function metricInstrument(symbol: string, path: readonly string[]): string {
  return symbol.toUpperCase() === PORTFOLIO ? PORTFOLIO : normaliseSymbol(symbol, path);
}

/** The conditions of a filter. Throws a validation Refusal on an account or symbol that is none. */
export function metricConditions(filter: RiskMetricFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { accountId, symbol, minVar95, isStale } = filter;
  return [
    ...equals('account_id', accountId && accountReference(accountId, ['filter', 'accountId'])),
    ...equals('instrument_id', symbol && metricInstrument(symbol, ['filter', 'symbol'])),
    ...(minVar95 ? [sql`var_95 >= ${minVar95}::numeric`] : []),
    ...is('is_stale', isStale),
    ...within('calculation_timestamp', filter),
  ];
}

/** The latest metric of an account and instrument; those asked for in one tick cost one statement. */
export function latestMetric(context: Context, accountId: string, instrumentId: string): Promise<RiskMetricRow | null> {
  return context.batch('latestMetric', { accountId, instrumentId }, async (wanted) => {
    const rows = await context.db.query<RiskMetricRow & { place: number }>(sql`
      select wanted.place::int as place, latest.*
        from unnest(${wanted.map((one) => one.accountId)}::text[], ${wanted.map((one) => one.instrumentId)}::text[])
             with ordinality as wanted(account_id, instrument_id, place)
       cross join lateral (
         select * from risk_metrics
          where account_id = wanted.account_id and instrument_id = wanted.instrument_id
          order by calculation_timestamp desc, metric_id desc limit 1) as latest`);
    const byPlace = new Map(rows.map((row) => [row.place, row]));
    return wanted.map((_, i) => byPlace.get(i + 1) ?? null);
  });
}

/** The latest metric of any account. */
export function latestOfAny(context: Context, instrumentId: string): Promise<RiskMetricRow | null> {
  return context.db.one<RiskMetricRow>(sql`
    select * from risk_metrics where instrument_id = ${instrumentId}
     order by calculation_timestamp desc, metric_id desc limit 1`);
}

const LONGEST_HISTORY = 365;

export interface VarPointRow extends RiskMetricRow {
  date: string;
}

/** The last metric of the portfolio in each of the latest UTC days. */
export function varHistory(context: Context, accountId: string, days: number): Promise<VarPointRow[]> {
  if (days < 1 || days > LONGEST_HISTORY) {
    throw badInput(`days must be from 1 to ${LONGEST_HISTORY}, but got ${days}.`, ['days']);
  }
  const day = raw(`(calculation_timestamp at time zone 'UTC')::date`);
  return context.db.query<VarPointRow>(sql`
    select distinct on (${day}) ${day}::text as date, risk_metrics.* from risk_metrics
     where account_id = ${accountId} and instrument_id = ${PORTFOLIO}
       and calculation_timestamp >= date_trunc('day', ${context.now()}::timestamptz, 'UTC') - make_interval(days => ${days - 1})
     order by ${day}, calculation_timestamp desc, metric_id desc`);
}
