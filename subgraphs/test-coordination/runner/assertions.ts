/** What phases assert, asked of the graph. */
import { type Decimal, dec, sum } from '../../../platform/decimal.ts';
import type { Domain } from '../../../platform/domains.ts';
import type { Assertion, AssertionName, Bench } from '../rules/definition.ts';
import type { OrderTally } from './actions.ts';
import { type AuditExpectations, isUnknown, validateAtAudit } from './audit.ts';
import { type BenchIds, partsOfSymbol } from './bench.ts';
import type { Desk } from './desk.ts';
import type { Disturbances } from './disturbances.ts';
import { divergenceOf, type EngineEvents } from './engine.ts';
import { isServing, isWell, type Probe, probe } from './probes.ts';
import { settledCount } from './settlements.ts';

export interface AssertionContext {
  desk: Desk;
  ids: BenchIds;
  bench: Bench | undefined;
  disturbances: Disturbances;
  orders: OrderTally;
  engine: EngineEvents;
  /** What probes have found of the services in this phase. */
  probes: readonly Probe[];
  targets: readonly Domain[];
  /** What the audit is to have seen. */
  expectations: AuditExpectations;
}

/** What was found. */
export interface Finding {
  holds: boolean;
  expected: string;
  actual: string;
  /** When what is detected happened, in milliseconds. */
  at?: number | null;
  /** It could not be looked at, for good. */
  isSkipped?: boolean;
}

type Evaluate = (assertion: Assertion, context: AssertionContext) => Promise<Finding>;

const skipped = (expected: string, actual: string): Finding => ({ holds: false, expected, actual, isSkipped: true });

/** What an assertion finds now. */
export function evaluate(assertion: Assertion, context: AssertionContext): Promise<Finding> {
  return EVALUATIONS[assertion.name](assertion, context);
}

const serviceOf = ({ service, name }: Assertion): Domain => {
  if (!service) throw new Error(`${name} names no service`);
  return service;
};

const serviceHealth: Evaluate = async (assertion, { desk }) => {
  const found = await probe(desk, serviceOf(assertion));
  const isWanted = assertion.expected === 'HEALTHY' ? isServing(found) : !isServing(found);
  return {
    holds: isWanted,
    expected: `${assertion.service} ${assertion.expected}`,
    actual: found.status,
    at: Date.now(),
  };
};

const responseTime: Evaluate = async (assertion, { desk }) => {
  const found = await probe(desk, serviceOf(assertion));
  const most = assertion.max ?? 1_000;
  return { holds: isServing(found) && found.ms <= most, expected: `at most ${most} ms`, actual: `${found.ms} ms` };
};

const latency: Evaluate = async (assertion, { probes }) => {
  const times = probes
    .filter(({ service }) => service === assertion.service)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  const most = assertion.max ?? 1_000;
  const p95 = times[Math.min(times.length - 1, Math.floor(times.length * 0.95))];
  if (p95 === undefined) return skipped(`95 % within ${most} ms`, 'nothing was measured');
  return { holds: p95 <= most, expected: `95 % within ${most} ms`, actual: `${p95} ms` };
};

const availability: Evaluate = async (assertion, { probes, desk }) => {
  const own = probes.filter(({ service }) => service === assertion.service);
  const all = own.length > 0 ? own : [await probe(desk, serviceOf(assertion))];
  const share = all.filter(isServing).length / all.length;
  const least = assertion.min ?? 0.99;
  return { holds: share >= least, expected: `at least ${least}`, actual: share.toFixed(4) };
};

const errorRate: Evaluate = async ({ max = 0 }, { orders }) => {
  const all = orders.placed + orders.refused;
  if (all === 0) return skipped(`at most ${max}`, 'no orders were placed');
  const share = orders.refused / all;
  return { holds: share <= max, expected: `at most ${max}`, actual: share.toFixed(4) };
};

const throughput: Evaluate = async ({ min = 0 }, { orders }) => {
  if (orders.placed === 0)
    return { holds: false, expected: `more than ${min} orders a second`, actual: 'no orders were placed' };
  const rate = (orders.placed * 1_000) / Math.max(orders.ms, 1);
  return { holds: rate > min, expected: `more than ${min} orders a second`, actual: rate.toFixed(2) };
};

const recoveryTime: Evaluate = async ({ service, max }, { disturbances }) => {
  const most = max ?? 60_000;
  const expected = `${service ?? 'everything'} well again within ${most} ms`;
  const events = (await disturbances.events()).filter(({ targetService }) => !service || targetService === service);
  const restarts = events.filter(({ eventType, status }) => eventType === 'service_restart' && status !== 'recovered');
  // A restart is over by itself.
  if (restarts.length > 0) await disturbances.clear(restarts[0]?.targetService as Domain);
  const now = (await disturbances.events()).filter(({ targetService }) => !service || targetService === service);
  if (now.length === 0) return skipped(expected, 'nothing was disturbed');
  const open = now.find(({ status }) => status !== 'recovered');
  if (open) return { holds: false, expected, actual: `${open.action} is ${open.status}` };
  const worst = Math.max(...now.map(({ recoveryTimeMs }) => recoveryTimeMs ?? 0));
  return { holds: worst <= most, expected, actual: `${worst} ms` };
};

const ALERTS = `query ($filter: RiskAlertFilter) { riskAlerts(filter: $filter, first: 100, sortOrder: ASC) {
  nodes { metricName severity triggeredAt status } } }`;

async function alertsOf({ desk, ids, disturbances }: AssertionContext, metricName?: string) {
  const filter = { accountId: ids.accountId, ...(metricName && { metricName }) };
  const { riskAlerts } = await desk.ask(ALERTS, { filter });
  const since = disturbances.lastAt ?? 0;
  return (riskAlerts.nodes as { metricName: string; severity: string; triggeredAt: string; status: string }[]).filter(
    ({ triggeredAt }) => Date.parse(triggeredAt) >= since - CLOCKS_MS,
  );
}

/** Processes of one machine may differ by so much. */
const CLOCKS_MS = 50;

const riskAlert: Evaluate = async ({ metric }, context) => {
  const [alert] = await alertsOf(context, metric);
  const expected = `an alert${metric ? ` of ${metric}` : ''}`;
  if (!alert) return { holds: false, expected, actual: 'none' };
  return {
    holds: true,
    expected,
    actual: `${alert.severity} of ${alert.metricName}`,
    at: Date.parse(alert.triggeredAt),
  };
};

const liquidityCrisis: Evaluate = (assertion, context) =>
  riskAlert({ ...assertion, metric: 'settlement_delay' }, context);

const strategyStatus = async ({ desk, ids }: AssertionContext): Promise<string> => {
  const { strategy } = await desk.ask('query ($id: ID!) { strategy(id: $id) { status } }', { id: ids.strategyId });
  return strategy?.status ?? 'none';
};

const strategyActive: Evaluate = async (_, context) => {
  const status = await strategyStatus(context);
  return { holds: status === 'ACTIVE', expected: 'ACTIVE', actual: status };
};

const tradingAdaptation: Evaluate = async (_, context) => {
  const status = await strategyStatus(context);
  const holds = status === 'PAUSED' || status === 'STOPPED';
  return { holds, expected: 'the strategy is halted', actual: status, at: context.engine.haltedAt };
};

const positionsReduced: Evaluate = async (_, { desk, ids, engine }) => {
  const { openPositions } = await desk.ask(
    'query ($id: ID!) { openPositions(strategyId: $id) { nodes { quantity instrument { symbol } } } }',
    { id: ids.strategyId },
  );
  const open = openPositions.nodes as { quantity: string; instrument: { symbol: string } | null }[];
  const actual = open.map(({ quantity, instrument }) => `${quantity} ${instrument?.symbol}`).join(', ') || 'none';
  return { holds: open.length === 0, expected: 'no open positions', actual, at: engine.reducedAt };
};

const positionLimits: Evaluate = async (_, { desk, ids }) => {
  const { riskBreaches } = await desk.ask(
    'query ($filter: RiskBreachFilter) { riskBreaches(filter: $filter) { nodes { limit { type } } } }',
    { filter: { accountId: ids.accountId, isOpen: true } },
  );
  const broken = riskBreaches.nodes.map(({ limit }: { limit: { type: string } }) => limit.type).join(', ');
  return { holds: broken === '', expected: 'no limit is broken', actual: broken || 'none is' };
};

const priceDivergence: Evaluate = async ({ symbol = '', min = 10 }, { desk }) => {
  const found = await divergenceOf(desk, symbol);
  const expected = `at least ${min} basis points`;
  if (found === null) return { holds: false, expected, actual: 'a price is not known' };
  return { holds: found.bps >= min, expected, actual: `${found.bps.toFixed(2)} basis points`, at: Date.now() };
};

const arbitrage: Evaluate = async (_, { engine }) => {
  const { arbitrageAt } = engine;
  return {
    holds: arbitrageAt !== null,
    expected: 'the difference is traded',
    actual: arbitrageAt === null ? 'not yet' : 'it was',
    at: arbitrageAt,
  };
};

const systemRecovery: Evaluate = async (_, { desk, targets, disturbances }) => {
  const events = await disturbances.events();
  const active = events.find(({ status }) => status === 'injected' || status === 'in_progress');
  const expected = 'nothing is disturbed, every domain answers';
  if (active) return { holds: false, expected, actual: `${active.action} lasts` };
  const ill: string[] = [];
  for (const service of targets) if (!(await isWell(desk, service))) ill.push(service);
  return { holds: ill.length === 0, expected, actual: ill.length === 0 ? 'so it is' : `${ill.join(', ')} do not` };
};

const alertResolution: Evaluate = async (_, context) => {
  const { desk, ids } = context;
  const filter = { accountId: ids.accountId, statuses: ['ACTIVE', 'ACKNOWLEDGED'] };
  const { riskAlerts } = await desk.ask(
    'query ($filter: RiskAlertFilter) { riskAlerts(filter: $filter) { nodes { alertId metricName } } }',
    { filter },
  );
  const open = riskAlerts.nodes as { alertId: string; metricName: string }[];
  // Alerts of limits end by themselves; those of the engine are ended by whoever sees that all is well.
  for (const { alertId, metricName } of open) {
    if (metricName !== 'correlation' && metricName !== 'settlement_delay') continue;
    await desk.send('resolveAlert', { alertId, by: 'test-coordination', note: 'All is well again.' });
  }
  const actual = open.map(({ metricName }) => metricName).join(', ') || 'none';
  return { holds: open.length === 0, expected: 'no open alerts', actual };
};

const settlementComplete: Evaluate = async (_, { desk, ids }) => {
  const { trades, settled } = await settledCount(desk, ids);
  return { holds: trades > 0 && settled >= trades, expected: `${trades} settled`, actual: `${settled} settled` };
};

const BOOKS = `query ($taker: ID!, $maker: ID!, $trades: ExchangeTradeFilter, $of: TradingPositionFilter) {
  taker: exchangeAccount(id: $taker) { balances { total asset { code } } }
  maker: exchangeAccount(id: $maker) { balances { total asset { code } } }
  exchangeTrades(filter: $trades, first: 500) { nodes { side quantity instrument { symbol } } }
  positions(filter: $of, first: 100) { nodes { quantity instrument { symbol } } } }`;

/** What trading says that it holds is what the exchange has executed, and no coin came or went. */
const dataConsistency: Evaluate = async (_, { desk, ids, bench }) => {
  const expected = 'the books of exchange and trading agree';
  if (!bench) return skipped(expected, 'nothing was traded');
  const books = await desk.ask(BOOKS, {
    taker: ids.accountId,
    maker: ids.makerId,
    trades: { accountId: ids.accountId },
    of: { strategyId: ids.strategyId },
  });
  const faults: string[] = [];
  for (const { symbol } of bench.instruments) {
    const of = <Row extends { instrument: { symbol: string } | null }>(rows: Row[]) =>
      rows.filter(({ instrument }) => instrument?.symbol === symbol);
    const executed = sum(
      of(books.exchangeTrades.nodes as Executed[]).map(({ side, quantity }) =>
        dec(quantity).times(side === 'BUY' ? 1 : -1),
      ),
    );
    const held = sum(of(books.positions.nodes as Executed[]).map(({ quantity }) => dec(quantity)));
    if (!executed.eq(held))
      faults.push(`${symbol}: trading holds ${held.toFixed()}, the exchange says ${executed.toFixed()}`);
    const [base] = partsOfSymbol(symbol);
    const coins = totalOf(base, books.taker).plus(totalOf(base, books.maker));
    if (!coins.eq(DEPOSITED)) faults.push(`${base}: ${coins.toFixed()} of ${DEPOSITED} are there`);
  }
  return { holds: faults.length === 0, expected, actual: faults.join('; ') || 'they do' };
};

/** Units of each base asset on the bench (see bench.ts). */
const DEPOSITED = '1000000';

interface Executed {
  side: string;
  quantity: string;
  instrument: { symbol: string } | null;
}

function totalOf(
  asset: string,
  account: { balances: { total: string; asset: { code: string } | null }[] } | null,
): Decimal {
  return sum(
    (account?.balances ?? []).filter((balance) => balance.asset?.code === asset).map(({ total }) => dec(total)),
  );
}

const TRACE = 'query ($traceId: ID!) { trace(traceId: $traceId) { traceId events(first: 100) { nodes { domain } } } }';

const auditTrail: Evaluate = async (_, { desk }) => {
  const expected = 'what happened is on record under the trace of the run';
  const found = await desk.ask(TRACE, { traceId: desk.traceId }).catch((error: unknown) => {
    if (isUnknown(error)) return null;
    throw error;
  });
  if (found === null) return skipped(expected, 'this graph keeps no audit');
  const domains = new Set((found.trace?.events?.nodes ?? []).map(({ domain }: { domain: string }) => domain));
  return { holds: domains.size > 0, expected, actual: `events of ${[...domains].sort().join(', ') || 'no domain'}` };
};

const auditCorrelation: Evaluate = async (_, { desk, expectations }) => {
  const expected = 'the audit has seen every expected detection in time';
  if (expectations.expected.length === 0) return skipped(expected, 'nothing was to be detected');
  const found = await validateAtAudit(desk, expectations);
  if (found === null) return skipped(expected, 'this graph keeps no audit');
  const missing = found.filter(({ isFound, isWithinSla }) => !isFound || !isWithinSla).map(({ name }) => name);
  return {
    holds: missing.length === 0,
    expected,
    actual: missing.length === 0 ? 'it has' : `not ${missing.join(', ')}`,
  };
};

const EVALUATIONS: Record<AssertionName, Evaluate> = {
  service_health: serviceHealth,
  response_time: responseTime,
  performance_recovery: responseTime,
  latency,
  availability,
  error_rate: errorRate,
  throughput,
  recovery_time: recoveryTime,
  risk_alert: riskAlert,
  liquidity_crisis: liquidityCrisis,
  strategy_active: strategyActive,
  trading_adaptation: tradingAdaptation,
  positions_reduced: positionsReduced,
  position_limits: positionLimits,
  price_divergence: priceDivergence,
  arbitrage,
  system_recovery: systemRecovery,
  alert_resolution: alertResolution,
  settlement_complete: settlementComplete,
  data_consistency: dataConsistency,
  audit_trail: auditTrail,
  audit_correlation: auditCorrelation,
};
