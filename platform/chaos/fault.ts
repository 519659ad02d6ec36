/** Faults that a domain suffers on purpose: what there are of them, and how the graph shows one. */
import { sql } from '../database/sql.ts';
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

/** A row of injected_faults, as rows of the platform are (see database/rows.ts). */
export interface FaultRow {
  faultId: string;
  kind: FaultKind;
  target: string;
  parameters: Record<string, unknown>;
  runId: string | null;
  reason: string | null;
  injectedBy: string | null;
  status: 'ACTIVE' | 'CLEARED' | 'EXPIRED';
  injectedAt: string;
  expiresAt: string;
  clearedAt: string | null;
  traceId: string | null;
}

/** The columns of a row. */
export const FAULT_COLUMNS = sql`fault_id, kind, target, parameters, run_id, reason, injected_by, status, injected_at,
  expires_at, cleared_at, trace_id`;

/** A fault as the graph shows it. */
export type Fault = Omit<FaultRow, 'traceId'> & { domain: Domain };

/** A lease that has run out has ended the fault, whether or not it has been marked. */
export function shownFault(domain: Domain, { traceId: _, ...row }: FaultRow, now: Date): Fault {
  if (!isOver(row, now)) return { ...row, domain };
  return { ...row, domain, status: 'EXPIRED', clearedAt: row.expiresAt };
}

/** Whether its lease has run out, though nobody has marked it yet. */
export function isOver({ status, expiresAt }: Pick<FaultRow, 'status' | 'expiresAt'>, now: Date): boolean {
  return status === 'ACTIVE' && Date.parse(expiresAt) <= now.getTime();
}
