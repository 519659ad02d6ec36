/** A missing resolver is no type error: every field of every type is selected once. */

import { globSync, readFileSync } from 'node:fs';
import {
  buildASTSchema,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose.ts';
import { DOMAINS } from '../../../platform/domains.ts';
import {
  balancesDocument,
  barsDocument,
  CUSTODY,
  INSTRUMENTS,
  ORDERS,
  POSITIONS,
  PRICES,
  STRATEGIES,
} from '../../../subgraphs/risk/monitor/documents.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, openDesk, trade, until } from './watch-desk.ts';

let graph: TestGraph;
let schema: GraphQLSchema;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  schema = graph.subgraphs.get('risk')?.schema as GraphQLSchema;
  await openDesk(graph);
  await trade(graph, 'desk', '5', '100');
  await done(graph, 'setRiskLimit', { type: 'NOTIONAL', threshold: '400', by: 'ann', scope: { symbol: 'BTC-USD' } });
  await done(graph, 'setRiskLimit', { type: 'NOTIONAL', threshold: '4000', by: 'ann', scope: { symbol: 'BTC-USD' } });
  await done(graph, 'calculateRisk', { accountId: ACCOUNT });
  await done(graph, 'capturePositions', {});
  await done(graph, 'runStressTests', { accountId: ACCOUNT, by: 'ann' });
  const [from, to] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];
  await done(graph, 'generateComplianceReport', { kind: 'COMPLIANCE_TRAIL', from, to, by: 'ann' });
  await done(graph, 'triggerCircuitBreaker', { reason: 'a drill', by: 'ann' });
  await until(async () =>
    expect((await ask(graph, '{ riskBreaches { totalCount } }')).riskBreaches.totalCount).toBe(1),
  );
  for (const [type, [table, key]] of Object.entries(KEYS)) {
    const [row] = await graph.sql('risk', `select ${key} as id from ${table} limit 1`);
    ids.set(type, row.id);
  }
});
afterAll(() => graph.close());

/** The leaves of a type, and of what lies `depth` fields below it. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).map((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return field.name;
    if (depth === 0 || !isObjectType(inner)) return '';
    return `${field.name} { __typename ${selection(inner, depth - 1)} }`;
  });
  return fields.join(' ');
}

const KEYS = {
  RiskLimit: ['risk_limits', 'limit_id'],
  RiskAlert: ['risk_alerts', 'alert_id'],
  RiskBreach: ['risk_breaches', 'breach_id'],
  RiskMetric: ['risk_metrics', 'metric_id'],
  PositionSnapshot: ['position_snapshots', 'snapshot_id'],
} as const;
const ids = new Map<string, string>();

const ORDER = `{ strategyId: "desk", accountId: "${ACCOUNT}", symbol: "BTC-USD", side: BUY, quantity: "1" }`;

const ROOTS: Record<string, string> = {
  FeedStatus: 'riskFeed',
  DomainHealth: 'riskHealth',
  RiskLimit: 'riskLimit(id: $id)',
  RiskLimitConnection: 'riskLimits',
  LimitVersionConnection: 'limitHistory(limitId: "none")',
  LimitChangeConnection: 'limitChanges',
  LimitUtilisation: 'limitUtilisation',
  RiskAlert: 'riskAlert(id: $id)',
  RiskAlertConnection: 'riskAlerts',
  AlertCount: 'alertCounts',
  RiskBreach: 'riskBreach(id: $id)',
  RiskBreachConnection: 'riskBreaches',
  CircuitBreaker: 'circuitBreaker',
  CircuitBreakerEventConnection: 'circuitBreakerEvents',
  RiskMetric: 'riskMetric(id: $id)',
  RiskMetricConnection: 'riskMetrics',
  VarPoint: `varHistory(accountId: "${ACCOUNT}")`,
  PositionSnapshot: 'positionSnapshot(id: $id)',
  PositionSnapshotConnection: 'positionSnapshots',
  AggregatedPosition: 'aggregatedPositions(groupBy: INSTRUMENT)',
  RiskStatus: 'riskStatus',
  PortfolioRisk: `portfolioRisk(accountId: "${ACCOUNT}")`,
  PreTradeCheck: `preTradeCheck(input: ${ORDER})`,
  ComplianceStatus: 'complianceStatus',
  DailyRiskSummary: 'dailyRiskSummary',
  PnlAttribution: `pnlAttribution(accountId: "${ACCOUNT}")`,
  StressTestResultConnection: 'stressTestResults',
  ComplianceReportConnection: 'complianceReports',
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field', async (name, root) => {
    const fields = selection(schema.getType(name) as GraphQLObjectType, 2);
    const variables = root.includes('$id') ? { id: ids.get(name) } : {};
    const query = `${root.includes('$id') ? 'query ($id: ID!)' : ''} { it: ${root} { ${fields} } }`;
    const { data, errors } = await graph.run(query, variables);
    expect(errors).toBeUndefined();
    expect(data.it).not.toBeNull();
    expect(data.it).not.toEqual([]);
  });

  it('selects every type of its own', () => {
    const own = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .map(({ name }) => name);
    const reached = new Set(Object.keys(ROOTS));
    const reach = (name: string, depth: number) => {
      reached.add(name);
      if (depth === 0) return;
      const type = schema.getType(name);
      if (!isObjectType(type)) return;
      for (const field of Object.values(type.getFields())) reach(getNamedType(field.type).name, depth - 1);
    };
    for (const root of Object.keys(ROOTS)) reach(root, 2);
    const others =
      /^(__|_|Query|Mutation|Subscription|Portfolio$|TradingPosition$)|Payload$|Change$|^DomainEvent|^Fault$|Failed$|Transition$|Funds$|Breached$|Conflict$|NotFound$|Unavailable$/;
    expect(own.filter((name) => !reached.has(name) && !others.test(name))).toEqual([]);
  });

  it('has a mutation for every payload, each answering `errors` and taking an idempotency key', () => {
    const all = Object.values(schema.getMutationType()?.getFields() ?? {});
    const mutations = all.filter(({ name }) => !/^invalidate|Faults?$/.test(name)); // every subgraph's alike
    expect(mutations).toHaveLength(20);
    for (const { name, type, args } of mutations) {
      const payload = getNamedType(type);
      expect(payload.name.toLowerCase()).toBe(`${name}payload`.toLowerCase());
      expect(isObjectType(payload) && Object.keys(payload.getFields())).toContain('errors');
      const input = getNamedType(args[0]?.type);
      expect(input && 'getFields' in input && Object.keys(input.getFields())).toContain('idempotencyKey');
    }
  });

  it('asks nothing of other domains that scenarios know (the read boundary)', () => {
    const { publicSchema } = composeSupergraph([...graph.subgraphs.values()].map(({ name, sdl }) => ({ name, sdl })));
    const composed = buildASTSchema(publicSchema, { assumeValid: true });
    const texts = [POSITIONS, STRATEGIES, ORDERS, PRICES, INSTRUMENTS, CUSTODY, barsDocument(2), balancesDocument(2)];
    const asked: string[] = [];
    for (const document of texts.map((text) => parse(text))) {
      expect(validate(composed, document)).toEqual([]);
      const types = new TypeInfo(composed);
      const note = () => {
        const field = types.getFieldDef();
        if (field) asked.push(`${types.getParentType()?.name}.${field.name} ${getNamedType(field.type).name}`);
      };
      visit(document, visitWithTypeInfo(types, { Field: { enter: note } }));
    }
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((field) => /scenario|manipulat|chaos|testrun/i.test(field))).toEqual([]);
    const sources = globSync('subgraphs/risk/**/*.ts', { exclude: ['**/generated/**'] });
    const others = sources.filter((file) => !file.endsWith('monitor/documents.ts'));
    const sent = /GraphQL \*\/ `|\bquery \w*\s*[({]/;
    expect(others.filter((file) => sent.test(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('risk', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'risk', status: 'healthy' });
  });
});
