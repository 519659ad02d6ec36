/** What a change of a row means: the type of its event, how grave it is, and whether it is one at all. */
import type { Domain } from '../../../platform/domains.ts';
import type { EventCategory, EventSeverity } from './chain.ts';
import { singular } from './entities.ts';

export type Operation = 'INSERT' | 'UPDATE' | 'DELETE';

export interface Change {
  domain: Domain;
  relation: string;
  operation: Operation;
  row: Readonly<Record<string, unknown>>;
}

/** What is measured by the second; of these rows only changes are events whose caller asked for its trace to be kept. */
const QUIET: Partial<Record<Domain, Record<string, readonly Operation[]>>> = {
  'market-data': {
    tickers: all(),
    candles: all(),
    newest_order_books: all(),
    consensus_prices: all(),
    data_sources: ['UPDATE'],
  },
  trading: { positions: ['UPDATE'], backtest_runs: ['UPDATE'] },
  risk: { limit_states: all(), risk_metrics: all(), risk_breaches: ['UPDATE'], pre_trade_checks: ['DELETE'] },
  'test-coordination': { execution_logs: all(), system_snapshots: all() },
};

function all(): readonly Operation[] {
  return ['INSERT', 'UPDATE', 'DELETE'];
}

/** Tables of the domain of which no change is an event unless its trace is to be kept. */
export function quietTables(domain: Domain): string[] {
  return Object.entries(QUIET[domain] ?? {}).flatMap(([table, operations]) =>
    all().every((operation) => operations.includes(operation)) ? [table] : [],
  );
}

/** Whether a change is an event only where its trace is to be kept. */
export function isQuiet({ domain, relation, operation, row }: Change): boolean {
  if (relation === 'risk_breaches' && operation === 'UPDATE' && row.endedAt) return false;
  return QUIET[domain]?.[relation]?.includes(operation) ?? false;
}

const DONE = { INSERT: 'created', UPDATE: 'updated', DELETE: 'deleted' } as const;

type Naming = (change: Change, status: string) => string | null;

/** Types by "domain.relation"; null leaves it to the entity's name and what was done to it. */
const NAMINGS: Record<string, Naming> = {
  'market-data.tickers': () => 'price_update',
  'market-data.market_scenarios': ({ operation, row }, state) => {
    if (operation !== 'UPDATE') return null;
    if (state === 'running') return SHOCKS[String(row.type)] ?? 'market_scenario_started';
    return `market_scenario_${state}`;
  },
  'exchange.orders': ({ operation }, status) => (operation === 'INSERT' ? 'order_received' : orderType(status)),
  'exchange.trades': ({ operation }) => (operation === 'INSERT' ? 'order_execution' : null),
  'trading.orders': ({ operation }, status) => (operation === 'INSERT' ? 'order_created' : orderType(status)),
  'trading.trades': ({ operation }) => (operation === 'INSERT' ? 'trade_recorded' : null),
  'trading.strategies': ({ operation }, status) => (operation === 'UPDATE' ? (STRATEGY[status] ?? null) : null),
  'custodian.settlements': ({ operation, row }, status) => {
    if (operation === 'INSERT') return 'settlement_initiated';
    if (status === 'completed') return 'settlement_complete';
    if (isOverdue(row) && !FINAL.has(status)) return 'settlement_delayed';
    return operation === 'UPDATE' ? `settlement_${status}` : null;
  },
  'custodian.transfers': ({ operation }, status) =>
    operation === 'INSERT' ? 'transfer_requested' : `transfer_${status}`,
  'risk.risk_alerts': ({ operation, row }, status) => {
    if (operation === 'INSERT') return alertType(String(row.metricName ?? ''));
    return status === 'active' ? 'risk_alert_updated' : `risk_alert_${status}`;
  },
  'risk.pre_trade_checks': ({ operation }) => (operation === 'INSERT' ? 'risk_validation' : null),
  'risk.risk_breaches': ({ operation, row }) => {
    if (operation === 'INSERT') return 'limit_breached';
    return row.endedAt ? 'limit_breach_ended' : null;
  },
  'risk.circuit_breakers': ({ operation }, state) => (operation === 'UPDATE' ? `circuit_breaker_${state}` : null),
  'test-coordination.test_runs': ({ operation }, status) =>
    operation === 'UPDATE' ? `test_run_${status}` : 'test_run_created',
  'test-coordination.chaos_events': (_, status) => CHAOS[status] ?? null,
};

const SHOCKS: Record<string, string> = { CRASH: 'price_shock_injected', DEPEG: 'stablecoin_depeg_started' };

const STRATEGY: Record<string, string> = {
  active: 'strategy_updated',
  paused: 'strategy_halted',
  stopped: 'strategy_halted',
  error: 'strategy_halted',
};

const CHAOS: Record<string, string> = {
  pending: 'chaos_injection_planned',
  injected: 'chaos_injection_started',
  recovered: 'chaos_injection_ended',
  failed: 'chaos_injection_failed',
};

const FINAL = new Set(['completed', 'failed', 'cancelled']);

/** An order that is filled has been executed, whoever says so. */
function orderType(status: string): string {
  if (status === 'filled') return 'order_executed';
  return status === 'partial' ? 'order_partially_filled' : `order_${status || 'updated'}`;
}

function alertType(metric: string): string {
  if (/drawdown/i.test(metric)) return 'drawdown_limit_breach';
  if (/liquidity|settlement/i.test(metric)) return 'liquidity_risk_alert';
  if (/correlation|depeg/i.test(metric)) return 'correlation_risk_alert';
  return 'risk_alert_generated';
}

/** It should have been settled before it was last touched. */
function isOverdue({ deadlineAt, dueAt, updatedAt }: Change['row']): boolean {
  const due = deadlineAt ?? dueAt;
  return typeof due === 'string' && typeof updatedAt === 'string' && Date.parse(updatedAt) > Date.parse(due);
}

/** The type of a change's event. */
export function typeOfChange(change: Change): string {
  const { domain, relation, operation, row } = change;
  const status = String(row.status ?? row.state ?? '').toLowerCase();
  if (relation === 'injected_faults') return faultType(operation, status);
  const named = NAMINGS[`${domain}.${relation}`]?.(change, status) ?? null;
  return operation === 'DELETE' || named === null ? `${singular(relation)}_${DONE[operation]}` : named;
}

function faultType(operation: Operation, status: string): string {
  if (operation === 'INSERT') return 'chaos_injection_started';
  return operation === 'DELETE' || status !== 'active' ? 'chaos_injection_ended' : 'chaos_injection_updated';
}

const CATEGORIES: Partial<Record<Domain, EventCategory>> = {
  exchange: 'trade',
  trading: 'trade',
  custodian: 'trade',
  risk: 'risk',
};

const COMPLIANCE = /^(approval_requests|votes|transfer_halts|reconciliation_|adjustments)/;

export function categoryOf({ domain, relation }: Pick<Change, 'domain' | 'relation'>, type: string): EventCategory {
  if (relation === 'injected_faults' || type.startsWith('chaos_') || type.endsWith('_shock_injected')) return 'chaos';
  if (domain === 'custodian' && COMPLIANCE.test(relation)) return 'compliance';
  return CATEGORIES[domain] ?? 'system';
}

const ALERTS: Record<string, EventSeverity> = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' };

export function severityOf({ relation, row }: Change, type: string): EventSeverity {
  if (relation === 'risk_alerts') return ALERTS[String(row.severity)] ?? 'warning';
  if (type === 'limit_breached' || type === 'circuit_breaker_open') return 'critical';
  if (/_(failed|error|rejected|timeout)$/.test(type)) return 'error';
  return /_(delayed|halted|expired|deleted)$|^chaos_injection_started$/.test(type) ? 'warning' : 'info';
}
