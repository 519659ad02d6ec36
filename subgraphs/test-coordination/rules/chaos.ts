/** What chaos events stand for in the domains. */

import { type FaultKind, STRUCK_DOMAINS, type StruckDomain } from '../../../platform/chaos/kinds.ts';
import { refuse } from '../../../platform/errors.ts';

export const EVENT_TYPES = [
  'service_restart',
  'service_kill',
  'network_partition',
  'network_latency',
  'network_packet_loss',
  'cpu_stress',
  'memory_stress',
  'disk_io_stress',
  'clock_skew',
  'market_scenario',
  'order_rejection',
  'stale_data',
  'spread_widening',
  'settlement_delay',
  'settlement_failure',
  'settlement_holiday',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

const KINDS: Partial<Record<EventType, FaultKind>> = {
  service_restart: 'RESTART',
  service_kill: 'DOWNTIME',
  network_latency: 'LATENCY',
  order_rejection: 'REJECTION',
  stale_data: 'STALE_DATA',
  spread_widening: 'SPREAD',
  settlement_delay: 'SETTLEMENT_DELAY',
  settlement_failure: 'SETTLEMENT_FAILURE',
  settlement_holiday: 'HOLIDAY',
};

const TYPES = new Map(Object.entries(KINDS).map(([type, kind]) => [kind, type as EventType]));

/** The fault of a domain that an event is; null where it is none. */
export function kindOf(type: EventType): FaultKind | null {
  return KINDS[type] ?? null;
}

/** The event that a fault of a domain is. */
export function typeOf(kind: FaultKind): EventType {
  return TYPES.get(kind) as EventType;
}

/** How an event is called that injects such a fault: "inject_latency". */
export function actionOf(kind: FaultKind): string {
  return `inject_${kind.toLowerCase()}`;
}

/** @throws Refusal (validation) when nothing in the graph can be disturbed so */
export function checkInjectable(type: EventType, target: string): void {
  const path = ['input', 'type'];
  if (type === 'market_scenario') {
    if (target === 'market-data') return;
    throw refuse.validation('Prices are bent by market-data.', ['input', 'targetService']);
  }
  if (kindOf(type) === null) throw refuse.validation(`No domain offers ${type.toUpperCase()}.`, path);
  if (STRUCK_DOMAINS.includes(target as StruckDomain)) return;
  throw refuse.validation(`targetService must be one of ${STRUCK_DOMAINS.join(', ')}, but got "${target}".`, [
    'input',
    'targetService',
  ]);
}
