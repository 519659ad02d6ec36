/** Reports: what the trail shows of a time, kept as it was said. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { boundedText } from '../../../platform/texts.ts';
import type { Verification } from '../chain/chains.ts';
import type { Context } from '../context.ts';
import type { GenerateAuditReportInput } from '../generated/resolvers.ts';
import { record } from '../trail/own.ts';
import { anomalies, coverage, riskSla, type SlaView } from './figures.ts';
import { checkWindow } from './timeline.ts';

/** A row of `audit_reports`. */
export interface ReportRow {
  reportId: string;
  rangeStart: string;
  rangeEnd: string;
  scenarioId: string | null;
  compliance: 'compliant' | 'findings' | 'broken';
  summary: Record<string, unknown>;
  recommendations: string[];
  generatedBy: string;
  traceId: string | null;
  createdAt: string;
}

export type ReportPage = Connection<ReportRow>;
export type ReportPayload = CommandPayload<{ reportId: string }>;

export const reports = entity<ReportRow>({
  name: 'AuditReport',
  table: 'audit_reports',
  key: 'report_id',
  keyType: 'text',
});

export const reportList = connectionSource<ReportRow>({
  table: 'audit_reports',
  id: 'report_id',
  sorts: { CREATED_AT: 'created_at' },
});

const NAME_LENGTH = 255;
const DEVIATIONS = 3;
const BUCKETS = 200;

interface Counts {
  total: number;
  failed: number;
  gaps: number;
  byDomain: Record<string, number>;
  byCategory: Record<string, number>;
  bySeverity: Record<string, number>;
}

/** Puts together what the trail shows of a time. */
export function generateAuditReport(context: Context, input: GenerateAuditReportInput): Promise<ReportPayload> {
  return command(context, 'generateAuditReport', input, async (tx) => {
    const by = boundedText(input.by, NAME_LENGTH, ['input', 'by']);
    const window = checkWindow(input);
    const scenarioId = input.scenarioId ?? null;
    const seconds = Math.max(1, Math.ceil((Date.parse(window.to) - Date.parse(window.from)) / 1_000 / BUCKETS));
    const counts = await countsOf(context, window, scenarioId);
    const sla = await riskSla(context, window, scenarioId);
    const covered = await coverage(context);
    const unusual = await anomalies(context, { ...window, bucketSeconds: seconds, deviations: DEVIATIONS });
    const chains = await verifyAll(context);
    const { compliance, recommendations } = assess(counts, sla, unusual.length, chains);
    const successRate = counts.total === 0 ? null : ((counts.total - counts.failed) / counts.total).toFixed(4);
    const summary = {
      counts,
      successRate,
      sla,
      coverage: covered,
      anomalyCount: unusual.length,
      chains: chains.map(({ chainId, isValid, checkedCount, firstBreak, anchoredUntil }) => ({
        chainId,
        isValid,
        checkedCount,
        firstBreak,
        anchoredUntil,
      })),
    };
    const [row] = await tx.$queryRaw<{ reportId: string }[]>(sql`
      insert into audit_reports
        (range_start, range_end, scenario_id, summary, compliance, recommendations, generated_by, trace_id, created_at)
      values (${window.from}::timestamptz, ${window.to}::timestamptz, ${scenarioId}, ${JSON.stringify(summary)}::jsonb,
              ${compliance}, ${recommendations}::text[], ${by}, ${context.traceId}, ${context.now()}::timestamptz)
      returning report_id as "reportId"`);
    const reportId = row?.reportId ?? '';
    await record(context, tx, {
      eventType: 'audit_report_generated',
      entityType: 'AuditReport',
      entityId: reportId,
      by,
      payload: { compliance, ...window },
    });
    return { reportId };
  });
}

async function verifyAll(context: Context): Promise<Verification[]> {
  const { chains } = context.service;
  const found: Verification[] = [];
  for (const { chainId } of await chains.list()) {
    const one = await chains.verify(chainId);
    if (one) found.push(one);
  }
  return found;
}

async function countsOf(
  context: Context,
  { from, to }: { from: string; to: string },
  scenarioId: string | null,
): Promise<Counts> {
  const rows = await context.db.query<{
    domain: string | null;
    category: string;
    severity: string;
    isGap: boolean;
    count: number;
  }>(sql`
    select domain, category, severity, event_type = 'trail_gap' as is_gap, count(*)::int as count from audit_events
     where timestamp >= ${from}::timestamptz and timestamp < ${to}::timestamptz
       and (${scenarioId}::text is null or scenario_id = ${scenarioId} or correlation_id = ${scenarioId})
     group by domain, category, severity, is_gap`);
  const counts: Counts = { total: 0, failed: 0, gaps: 0, byDomain: {}, byCategory: {}, bySeverity: {} };
  const add = (into: Record<string, number>, key: string, count: number) => {
    into[key] = (into[key] ?? 0) + count;
  };
  for (const { domain, category, severity, isGap, count } of rows) {
    counts.total += count;
    if (severity === 'error' || severity === 'critical') counts.failed += count;
    if (isGap) counts.gaps += count;
    add(counts.byDomain, domain ?? 'external', count);
    add(counts.byCategory, category, count);
    add(counts.bySeverity, severity, count);
  }
  return counts;
}

function assess(counts: Counts, sla: SlaView, anomalyCount: number, chains: readonly Verification[]) {
  const recommendations: string[] = [];
  const broken = chains.filter(({ isValid }) => !isValid);
  for (const { chainId, firstBreak } of broken) {
    recommendations.push(`Look into ${chainId} at ${firstBreak?.sequence} (${firstBreak?.kind}), then seal it anew.`);
  }
  const unanchored = chains.filter(({ anchoredUntil }) => anchoredUntil === null);
  if (unanchored.length > 0) {
    recommendations.push(`Anchor the chains: ${unanchored.length} of them are written down nowhere else.`);
  }
  if (counts.gaps > 0) {
    recommendations.push(
      `${counts.gaps} gaps: keep more of the change logs (FEED_RETENTION_HOURS), or the audit running.`,
    );
  }
  const missed = sla.evaluatedCount - sla.metCount;
  if (missed > 0) recommendations.push(`${missed} of ${sla.evaluatedCount} expected events came late or never.`);
  if (anomalyCount > 0) recommendations.push(`${anomalyCount} times were unusual; see anomalies.`);
  const hasFindings = counts.gaps > 0 || missed > 0 || counts.bySeverity.critical !== undefined;
  const compliance: ReportRow['compliance'] = broken.length > 0 ? 'broken' : hasFindings ? 'findings' : 'compliant';
  return { compliance, recommendations };
}
