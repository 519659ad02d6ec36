/** What commands give back: the things they name, as they are after the command; and what subscriptions tell. */
import { sql } from '../../../platform/database/sql.ts';
import { rowOf } from '../../../platform/feed/events.ts';
import type { ChainAnchorRow } from '../chain/chains.ts';
import type { Context } from '../context.ts';
import { correlations, rules } from '../correlation/correlations.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { reports } from '../reports/audit-reports.ts';
import { validations } from '../reports/validations.ts';
import { eventById } from '../trail/events.ts';

async function allOfThem<Row>(ids: readonly string[], load: (id: string) => Promise<Row | null>): Promise<Row[]> {
  const rows = await Promise.all(ids.map(load));
  return rows.filter((row): row is Awaited<Row> & Row => row !== null);
}

const event = ({ eventId }: { eventId?: string }, _: object, context: Context) =>
  eventId === undefined ? null : eventById(context, eventId);

export const payloads: Resolvers = {
  IngestAuditEventPayload: { event, isNew: ({ isNew }) => isNew ?? false },
  IngestAuditEventsPayload: {
    events: ({ eventIds = [] }, _, context) => allOfThem(eventIds, (id) => eventById(context, id)),
    sealedCount: ({ eventIds = [] }) => eventIds.length,
    knownCount: ({ knownCount }) => knownCount ?? 0,
  },
  ArchiveAuditEventsPayload: {
    dayCount: ({ dayCount }) => dayCount ?? 0,
    eventCount: ({ eventCount }) => eventCount ?? 0,
  },
  ReprocessAuditEventPayload: { event },
  AnchorChainsPayload: {
    anchors: ({ anchorIds = [] }, _, context) =>
      context.db.query<ChainAnchorRow>(
        sql`select * from chain_anchors where anchor_id = any(${anchorIds}::text[]) order by chain_id`,
      ),
  },
  ResealChainPayload: {
    chain: ({ chainId }, _, context) => (chainId === undefined ? null : context.service.chains.head(chainId)),
  },
  CorrelateEventsPayload: {
    correlations: ({ correlationIds = [] }, _, context) =>
      allOfThem(correlationIds, (id) => context.load(correlations, id)),
  },
  PurgeCorrelationsPayload: { purgedCount: ({ purgedCount }) => purgedCount ?? 0 },
  SetCorrelationRulePayload: {
    rule: ({ ruleName }, _, context) => (ruleName === undefined ? null : context.load(rules, ruleName)),
  },
  ValidateScenarioRunPayload: {
    validation: ({ runId }, _, context) => (runId === undefined ? null : context.load(validations, runId)),
  },
  GenerateAuditReportPayload: {
    report: ({ reportId }, _, context) => (reportId === undefined ? null : context.load(reports, reportId)),
  },
  AuditEventChange: { event: rowOf },
  CorrelationChange: { correlation: rowOf },
  ScenarioValidationChange: { validation: rowOf },
  ChainBrokenChange: { chainBreak: rowOf },
};
