/** What the rows of each domain are called in the graph. */
import type { Domain } from '../../../platform/domains.ts';

/** Types by domain and table; of tables left out, the table's own name in the singular stands for the type. */
const TYPES: Partial<Record<Domain, Record<string, string>>> = {
  'market-data': { symbols: 'Instrument', tickers: 'Instrument', consensus_prices: 'Instrument', assets: 'Asset' },
  exchange: {
    accounts: 'ExchangeAccount',
    orders: 'ExchangeOrder',
    trades: 'ExchangeTrade',
    balances: 'ExchangeBalance',
  },
  trading: {
    strategies: 'Strategy',
    orders: 'TradingOrder',
    trades: 'TradingTrade',
    positions: 'TradingPosition',
    managed_trades: 'ManagedTrade',
    quarantined_fills: 'QuarantinedFill',
  },
  custodian: {
    accounts: 'CustodyAccount',
    settlements: 'Settlement',
    transfers: 'Transfer',
    approval_requests: 'ApprovalRequest',
    reconciliation_runs: 'ReconciliationRun',
    reconciliation_breaks: 'ReconciliationBreak',
  },
  risk: { risk_limits: 'RiskLimit', risk_alerts: 'RiskAlert', risk_breaches: 'RiskBreach', risk_metrics: 'RiskMetric' },
  'test-coordination': {
    scenarios: 'Scenario',
    test_runs: 'TestRun',
    test_results: 'TestResult',
    chaos_events: 'ChaosEvent',
  },
};

/** The key of each entity that the graph can be asked for by the id of an event. */
export const ENTITY_KEYS = {
  Instrument: 'symbol',
  Asset: 'code',
  ExchangeAccount: 'accountId',
  ExchangeOrder: 'orderId',
  ExchangeTrade: 'tradeId',
  Strategy: 'strategyId',
  TradingOrder: 'orderId',
  TradingTrade: 'tradeId',
  TradingPosition: 'positionId',
  ManagedTrade: 'tradeId',
  CustodyAccount: 'accountId',
  Settlement: 'settlementId',
  Transfer: 'transferId',
  ApprovalRequest: 'requestId',
  ReconciliationBreak: 'breakId',
  RiskLimit: 'limitId',
  RiskAlert: 'alertId',
  RiskBreach: 'breachId',
  Scenario: 'scenarioId',
  TestRun: 'runId',
  TestResult: 'resultId',
  ChaosEvent: 'eventId',
} as const;

export type EntityName = keyof typeof ENTITY_KEYS;

export function isEntity(type: string | null): type is EntityName {
  return type !== null && Object.hasOwn(ENTITY_KEYS, type);
}

/** The type of a table's rows: "TradingOrder", or for example "AccountLink" where the graph has no name for it. */
export function typeOf(domain: Domain, relation: string): string {
  const named = TYPES[domain]?.[relation];
  if (named !== undefined) return named;
  const words = singular(relation).split('_');
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
}

/** "reconciliation_breaks" → "reconciliation_break", "strategies" → "strategy" */
export function singular(relation: string): string {
  if (relation.endsWith('ies')) return `${relation.slice(0, -3)}y`;
  if (/(ss|us)$/.test(relation)) return relation;
  return /(ses|xes|ches)$/.test(relation) ? relation.replace(/es$/, '') : relation.replace(/s$/, '');
}
