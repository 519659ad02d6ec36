/** Faults that a domain suffers on purpose: what is stored of them, and how the graph shows one. */
import { sql } from '../database/sql.ts';
import type { Domain } from '../domains.ts';
import type { FaultKind } from './kinds.ts';

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
