/** What faults there are, and whom they strike. */
import { camelCaseOf, type Domain, pascalCaseOf } from '../domains.ts';

export const FAULT_KINDS = [
  'LATENCY',
  'REJECTION',
  'DOWNTIME',
  'RESTART',
  'STALE_DATA',
  'SPREAD',
  'SETTLEMENT_DELAY',
  'SETTLEMENT_FAILURE',
  'HOLIDAY',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** What every domain that can be struck honours. */
const OF_ALL = ['LATENCY', 'REJECTION', 'DOWNTIME', 'RESTART'] as const;

/** The domains that can be struck, and by what. */
export const HONOURED = {
  'market-data': [...OF_ALL, 'STALE_DATA', 'SPREAD'],
  exchange: OF_ALL,
  trading: OF_ALL,
  custodian: [...OF_ALL, 'SETTLEMENT_DELAY', 'SETTLEMENT_FAILURE', 'HOLIDAY'],
  risk: OF_ALL,
} as const satisfies Partial<Record<Domain, readonly FaultKind[]>>;

export type StruckDomain = keyof typeof HONOURED;
export const STRUCK_DOMAINS = Object.keys(HONOURED) as [StruckDomain, ...StruckDomain[]];

/** Whether a domain can be struck at all. */
export function isStruckDomain(domain: Domain): domain is StruckDomain {
  return domain in HONOURED;
}

/** The kinds that a domain honours; none where it cannot be struck. */
export function honouredBy(domain: Domain): readonly FaultKind[] {
  return isStruckDomain(domain) ? HONOURED[domain] : [];
}

/** Fields that never suffer themselves: they tell of the domain, or of its faults. */
export function fieldNamesOf(domain: StruckDomain): string[] {
  const [pascal, camel] = [pascalCaseOf(domain), camelCaseOf(domain)];
  const told = ['Faults', 'Feed', 'Health', 'Events'].map((what) => `${camel}${what}`);
  return [...told, `inject${pascal}Fault`, `renew${pascal}Faults`, `clear${pascal}Faults`];
}
