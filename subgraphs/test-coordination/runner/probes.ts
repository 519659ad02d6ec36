/** Whether domains are well, and how fast they answer. */
import type { Domain } from '../../../platform/domains.ts';
import type { Desk } from './desk.ts';

/** What tells that a domain is there: what it says of itself, and something that only its data answers. */
const PROBES: Record<Domain, string> = {
  'market-data': '{ health: marketDataHealth { status } data: assets(first: 1) { nodes { code } } }',
  exchange: '{ health: exchangeHealth { status } data: exchangeAccounts(first: 1) { nodes { accountId } } }',
  trading: '{ health: tradingHealth { status } data: strategies(first: 1) { nodes { strategyId } } }',
  custodian: '{ health: custodianHealth { status } data: settlements(first: 1) { nodes { settlementId } } }',
  risk: '{ health: riskHealth { status } data: riskLimits(first: 1) { nodes { limitId } } }',
  'test-coordination':
    '{ health: testCoordinationHealth { status } data: scenarios(first: 1) { nodes { scenarioId } } }',
  audit: '{ health: auditHealth { status } data: auditFeed { domain } }',
  registry: '{ health: registryHealth { status } data: configs(first: 1) { nodes { key } } }',
};

export interface Probe {
  service: Domain;
  /** UNHEALTHY also when it does not answer. */
  status: 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY';
  ms: number;
}

export async function probe(desk: Desk, service: Domain): Promise<Probe> {
  const startedAt = performance.now();
  const status = await desk.ask(PROBES[service]).then(
    ({ health, data }) => (data ? (health?.status ?? 'UNHEALTHY') : 'UNHEALTHY'),
    () => 'UNHEALTHY',
  );
  return { service, status, ms: Math.round(performance.now() - startedAt) };
}

/** A domain that is DEGRADED serves: a feed that is a little behind is no fault of a test. */
export function isServing({ status }: Pick<Probe, 'status'>): boolean {
  return status !== 'UNHEALTHY';
}

export async function isWell(desk: Desk, service: Domain): Promise<boolean> {
  return isServing(await probe(desk, service));
}
