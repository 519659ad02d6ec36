import { allOf, sql } from '../../../platform/database/sql.ts';
import { equals } from '../../../platform/filters.ts';
import { anchorList, type ChainBreakRow } from '../chain/chains.ts';
import {
  type CorrelationRuleRow,
  causalChain,
  correlationConditions,
  correlationList,
  similarEvents,
} from '../correlation/correlations.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { reportList, reports } from '../reports/audit-reports.ts';
import { anomalies, coverage, performanceImpact, riskSla } from '../reports/figures.ts';
import { timeline } from '../reports/timeline.ts';
import { validationList, validations } from '../reports/validations.ts';
import { eventById, eventConditions, eventList, wholeTrail } from '../trail/events.ts';

const BREAKS_SHOWN = 500;
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;

export const Query: QueryResolvers = {
  auditFeed: (_, __, context) => context.feed.status(),
  auditHealth: (_, __, context) => context.health.read(),

  auditEvent: (_, { id }, context) => eventById(context, id),
  auditEvents: (_, { filter, ...page }, context) => context.connect(eventList, page, eventConditions(filter)),
  auditEventCount: async (_, { filter }, context) => {
    const row = await context.db.one<{ count: number }>(
      sql`select count(*)::int as count from audit_events where ${allOf(eventConditions(filter))}`,
    );
    return row?.count ?? 0;
  },
  trace: (_, { traceId }) => (TRACE_ID.test(traceId.toLowerCase()) ? { traceId: traceId.toLowerCase() } : null),
  auditTrail: (_, { filter, ...page }, context) => context.connect(wholeTrail, page, eventConditions(filter)),
  followedDomains: (_, __, context) => context.service.followed(),

  auditChains: (_, __, context) => context.service.chains.list(),
  verifyChain: (_, { chainId, from, to }, context) => context.service.chains.verify(chainId, from ?? 1, to ?? null),
  chainBreaks: (_, { chainId }, context) =>
    context.db.query<ChainBreakRow>(sql`
      select * from chain_breaks where ${allOf(equals('chain_id', chainId))}
       order by found_at desc, break_id limit ${BREAKS_SHOWN}`),
  chainAnchors: (_, { chainId, ...page }, context) => context.connect(anchorList, page, equals('chain_id', chainId)),

  correlations: (_, { filter, ...page }, context) =>
    context.connect(correlationList, page, correlationConditions(filter)),
  similarEvents: (_, { eventId, threshold, limit }, context) =>
    similarEvents(context, eventId, Number(threshold ?? 0.5), limit ?? 50),
  causalChain: (_, { eventId, maxDepth }, context) => causalChain(context, eventId, maxDepth ?? 10),
  correlationRules: (_, __, context) =>
    context.db.query<CorrelationRuleRow>(sql`select * from correlation_rules order by rule_name`),

  timeline: (_, { limit, ...asked }, context) => timeline(context, { ...asked, limit: limit ?? 1_000 }),
  scenarioValidation: (_, { runId }, context) => context.load(validations, runId),
  scenarioValidations: (_, { scenarioId, ...page }, context) =>
    context.connect(validationList, page, equals('scenario_id', scenarioId)),
  riskSla: (_, { scenarioId, ...window }, context) => riskSla(context, window, scenarioId),
  coverage: (_, { definedCount }, context) => coverage(context, definedCount),
  anomalies: (_, { bucketSeconds, deviations, ...window }, context) =>
    anomalies(context, { ...window, bucketSeconds: bucketSeconds ?? 60, deviations: deviations ?? 3 }),
  performanceImpact: (_, { serviceNames, ...window }, context) => performanceImpact(context, window, serviceNames),
  auditReport: (_, { id }, context) => context.load(reports, id),
  auditReports: (_, page, context) => context.connect(reportList, page),
};
