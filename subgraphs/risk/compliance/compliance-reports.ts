/** Compliance reports: what is stored of them, how they are read, and how they are made. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { equals, within } from '../../../platform/filters.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { type Context, statementsOf } from '../context.ts';
import type { ComplianceReportFilter, GenerateComplianceReportInput } from '../generated/resolvers.ts';
import { accountReference, actor } from '../references.ts';
import { contentOf, type ReportKind } from './contents.ts';

/** A row of `compliance_reports`. */
export interface ComplianceReportRow {
  reportId: string;
  kind: ReportKind;
  periodFrom: string;
  periodTo: string;
  accountId: string | null;
  payload: Record<string, unknown>;
  isCut: boolean;
  generatedBy: string;
  generatedAt: string;
}

export type ComplianceReportPage = Connection<ComplianceReportRow>;
export type GeneratedPayload = CommandPayload<{ reportId: string }>;

export const complianceReportList = connectionSource<ComplianceReportRow>({
  table: 'compliance_reports',
  id: 'report_id',
  sorts: { AT: 'generated_at' },
});

/** The conditions of a filter. Throws a validation Refusal on an account that is none. */
export function complianceReportConditions(filter: ComplianceReportFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { kind, accountId } = filter;
  return [
    ...equals('kind', kind && stored(kind)),
    ...equals('account_id', accountId && accountReference(accountId, ['filter', 'accountId'])),
    ...within('generated_at', filter),
  ];
}

/** The report of that id; those asked for in one tick share a statement. */
export function complianceReportById(context: Context, reportId: string): Promise<ComplianceReportRow | null> {
  return context.batch('complianceReport', reportId, async (ids) => {
    const rows = await context.db.query<ComplianceReportRow>(
      sql`select * from compliance_reports where report_id = any(${ids.filter(isUuid)}::uuid[])`,
    );
    const byId = new Map(rows.map((row) => [row.reportId, row]));
    return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
  });
}

/** A leap year. */
const LONGEST_MS = 366 * 86_400_000;

/** Puts a report together and stores it. */
export function generateComplianceReport(
  context: Context,
  input: GenerateComplianceReportInput,
): Promise<GeneratedPayload> {
  return command(context, 'generateComplianceReport', input, async (tx) => {
    const now = context.now();
    const period = periodOf(input, now);
    const accountId = input.accountId ? accountReference(input.accountId, ['input', 'accountId']) : null;
    const by = actor(input.by);
    const kind = stored(input.kind);
    const statements = statementsOf(tx);
    const { payload, isCut } = await contentOf(statements, kind, { ...period, accountId });
    const [row] = await statements.query<{ reportId: string }>(sql`
      insert into compliance_reports (kind, period_from, period_to, account_id, payload, is_cut, generated_by, generated_at,
             trace_id)
      values (${kind}, ${period.from}::timestamptz, ${period.to}::timestamptz, ${accountId},
             ${JSON.stringify(payload)}::jsonb, ${isCut}, ${by}, ${now}::timestamptz, ${context.traceId})
      returning report_id::text as "reportId"`);
    return row as { reportId: string };
  });
}

function periodOf({ from, to }: { from: string; to: string }, now: Date): { from: Date; to: Date } {
  const period = { from: new Date(from), to: new Date(to) };
  const lengthMs = period.to.getTime() - period.from.getTime();
  if (lengthMs <= 0) throw refuse.validation('to must be after from.', ['input', 'to']);
  if (lengthMs > LONGEST_MS) throw refuse.validation('A report is of at most 366 days.', ['input', 'to']);
  if (period.to > now) throw refuse.validation('to must not be in the future.', ['input', 'to']);
  return period;
}
