/** Answers about everything at once, for whoever looks after risk. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, round8, sum, ZERO } from '../../../platform/decimal.ts';
import { badInput } from '../../../platform/errors.ts';
import { type AlertCountRow, countAlerts, isOpenAlert, type RiskBreachRow } from '../alerts/alerts.ts';
import type { BreakerRow } from '../breaker/breaker.ts';
import type { Context } from '../context.ts';
import { accountReference } from '../references.ts';
import { grossExposure, leverageOf, RISK_LEVELS, type RiskLevel, riskLevelOf } from '../rules/portfolio.ts';
import { type UtilisationState, utilisations } from './utilisations.ts';

const text = (value: Decimal) => round8(value).toFixed();

export interface RiskStatusReport {
  level: RiskLevel;
  circuitBreaker: BreakerRow;
  isMonitor: boolean;
  isFollowing: boolean;
  portfolioCount: number;
  positionCount: number;
  limitCount: number;
  breachCount: number;
  alerts: AlertCountRow[];
  totalPnl: string;
  totalExposure: string;
  lastCheckMicroseconds: number | null;
  lastCheckAt: string | null;
  lastAlertMicroseconds: number | null;
  lastAlertAt: string | null;
  isStale: boolean;
  asOf: string;
}

/** How risk watches, and what it sees. */
export async function riskStatus(context: Context): Promise<RiskStatusReport> {
  const { book, limits, portfolios, monitor } = context.service;
  await book.ready();
  const accountIds = book.accountIds();
  const [breaker, breaches, alerts] = await Promise.all([
    context.db.one<BreakerRow>(sql`select * from circuit_breakers`),
    context.db.one<{ count: number }>(sql`select count(*)::int as count from risk_breaches where ended_at is null`),
    countAlerts(context, [isOpenAlert]),
  ]);
  const levels = accountIds.map((accountId) => {
    const equity = portfolios.equityOf(accountId);
    return riskLevelOf(leverageOf(grossExposure(book.holdingsOf(accountId)), equity), null, equity);
  });
  const worst = levels.reduce((most, level) => Math.max(most, RISK_LEVELS.indexOf(level)), 0);
  return {
    level: RISK_LEVELS[worst] ?? 'low',
    circuitBreaker: breaker as BreakerRow,
    isMonitor: monitor.isMonitor(),
    isFollowing: book.isFollowing(),
    portfolioCount: accountIds.length,
    positionCount: book.positionCount(),
    limitCount: limits.inForce().length,
    breachCount: breaches?.count ?? 0,
    alerts,
    totalPnl: text(sum(accountIds.map((accountId) => portfolios.totalPnl(accountId)))),
    totalExposure: text(sum(accountIds.map((accountId) => grossExposure(book.holdingsOf(accountId))))),
    lastCheckMicroseconds: monitor.lastCheck?.microseconds ?? null,
    lastCheckAt: monitor.lastCheck?.at ?? null,
    lastAlertMicroseconds: monitor.lastAlert?.microseconds ?? null,
    lastAlertAt: monitor.lastAlert?.at ?? null,
    isStale: accountIds.some((accountId) => portfolios.isStale(accountId)),
    asOf: context.now().toISOString(),
  };
}

export interface ComplianceOverview {
  isCompliant: boolean;
  checkedCount: number;
  warningCount: number;
  breachedCount: number;
  findings: UtilisationState[];
  openBreaches: RiskBreachRow[];
  isStale: boolean;
  asOf: string;
}

const SHOWN = 100;

/** Which limits are kept and which are broken. */
export async function complianceStatus(
  context: Context,
  account: string | null | undefined,
): Promise<ComplianceOverview> {
  const accountId = account ? accountReference(account, ['accountId']) : undefined;
  const states = await utilisations(context, { ...(accountId && { accountId }) });
  const findings = states.filter(({ band }) => band !== 'ok');
  const breached = findings.filter(({ band }) => band === 'breached');
  const openBreaches = await context.db.query<RiskBreachRow>(sql`
    select * from risk_breaches where ended_at is null and ${ofAccount(accountId)}
     order by started_at desc, breach_id limit ${SHOWN}`);
  return {
    isCompliant: breached.length === 0,
    checkedCount: states.length,
    warningCount: findings.length - breached.length,
    breachedCount: breached.length,
    findings: findings.slice(0, SHOWN),
    openBreaches,
    isStale: states.some(({ isStale }) => isStale),
    asOf: context.now().toISOString(),
  };
}

function ofAccount(accountId: string | undefined): Sql {
  return accountId === undefined ? raw('true') : sql`account_id = ${accountId}`;
}

export interface DailySummary {
  date: string;
  breachCount: number;
  alerts: AlertCountRow[];
  escalationCount: number;
  circuitBreakerCount: number;
  pnl: string | null;
  peakExposure: string | null;
  peakVar99: string | null;
  isComplete: boolean;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** What happened in a UTC day. Throws BAD_USER_INPUT on a day that there is none of. */
export async function dailyRiskSummary(
  context: Context,
  { date, accountId: account }: { date?: string | null | undefined; accountId?: string | null | undefined },
): Promise<DailySummary> {
  const today = context.now().toISOString().slice(0, 10);
  const day = date ?? today;
  const from = DAY.test(day) ? new Date(`${day}T00:00:00Z`) : new Date(Number.NaN);
  if (Number.isNaN(from.getTime()) || from.toISOString().slice(0, 10) !== day) {
    throw badInput(`date must be a day such as 2026-01-31, but got "${day}".`, ['date']);
  }
  const to = new Date(from.getTime() + 86_400_000);
  const accountId = account ? accountReference(account, ['accountId']) : undefined;
  const own = ofAccount(accountId);
  const during = (column: string) =>
    sql`${raw(column)} >= ${from}::timestamptz and ${raw(column)} < ${to}::timestamptz`;
  const [alerts, figures] = await Promise.all([
    countAlerts(context, [during('triggered_at'), own]),
    context.db.one<Omit<DailySummary, 'date' | 'alerts' | 'isComplete'>>(sql`
      select (select count(*)::int from risk_breaches where ${during('started_at')} and ${own}) as breach_count,
             (select count(*)::int from alert_escalations join risk_alerts using (alert_id)
               where level > 0 and ${during('sent_at')} and ${own}) as escalation_count,
             (select count(*)::int from circuit_breaker_events
               where to_state = 'open' and ${during('changed_at')}) as circuit_breaker_count,
             (select sum(last_pnl - first_pnl) from (
                select (array_agg(total_pnl order by minute desc))[1] as last_pnl,
                       coalesce((select before.total_pnl from portfolio_points as before
                                  where before.account_id = points.account_id and before.minute < ${from}::timestamptz
                                  order by before.minute desc limit 1),
                                (array_agg(total_pnl order by minute))[1]) as first_pnl
                  from portfolio_points as points where ${during('minute')} and ${own} group by account_id) as by_account) as pnl,
             (select max(exposure) from (select sum(exposure) as exposure from portfolio_points
               where ${during('minute')} and ${own} group by minute) as by_minute) as peak_exposure,
             (select max(var_99) from risk_metrics where ${during('calculation_timestamp')} and ${own}) as peak_var99`),
  ]);
  const { breachCount, escalationCount, circuitBreakerCount, pnl, peakExposure, peakVar99 } = figures as DailySummary;
  return {
    date: day,
    breachCount,
    alerts,
    escalationCount,
    circuitBreakerCount,
    pnl,
    peakExposure,
    peakVar99,
    isComplete: day < today,
  };
}

export interface PnlReport {
  total: string;
  parts: { key: string; unrealizedPnl: string; realizedPnl: string; totalPnl: string }[];
  isStale: boolean;
  asOf: string;
}

const REST = 'closed';

/** Where the P&L of an account comes from: parts that sum to the total, to the last digit. */
export async function pnlAttribution(
  context: Context,
  account: string,
  groupBy: 'INSTRUMENT' | 'STRATEGY',
): Promise<PnlReport> {
  const { book, portfolios } = context.service;
  const accountId = accountReference(account, ['accountId']);
  await book.ready();
  const parts = new Map<string, { unrealized: Decimal; realized: Decimal }>();
  const add = (key: string, unrealized: Decimal, realized: Decimal) => {
    const part = parts.get(key) ?? { unrealized: ZERO, realized: ZERO };
    parts.set(key, { unrealized: part.unrealized.plus(unrealized), realized: part.realized.plus(realized) });
  };
  const holdings = book.holdingsOf(accountId);
  const strategies = book.strategiesOf(accountId);
  for (const { instrumentId, strategyId, unrealizedPnl, realizedPnl, quoteRate } of holdings) {
    const unrealized = round8(unrealizedPnl.times(quoteRate ?? ZERO));
    if (groupBy === 'STRATEGY') add(strategyId, unrealized, ZERO);
    else add(instrumentId, unrealized, realizedPnl);
  }
  const realized = sum([...strategies.values()].map((strategy) => strategy.realizedPnl));
  if (groupBy === 'STRATEGY') for (const [id, strategy] of strategies) add(id, ZERO, strategy.realizedPnl);
  else {
    const rest = realized.minus(sum(holdings.map(({ realizedPnl }) => realizedPnl)));
    if (!rest.isZero()) add(REST, ZERO, rest);
  }
  const lines = [...parts].map(([key, part]) => ({ key, ...part, total: part.unrealized.plus(part.realized) }));
  return {
    total: sum(lines.map(({ total }) => total)).toFixed(),
    parts: lines
      .sort((a, b) => b.total.abs().cmp(a.total.abs()))
      .map(({ key, unrealized, realized: part, total }) => ({
        key,
        unrealizedPnl: unrealized.toFixed(),
        realizedPnl: part.toFixed(),
        totalPnl: total.toFixed(),
      })),
    isStale: portfolios.isStale(accountId),
    asOf: context.now().toISOString(),
  };
}
