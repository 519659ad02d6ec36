/** Events, traces, chains, correlations and reports, field by field. */
import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import type { Context } from '../context.ts';
import { causalChain, correlatedWith, correlations } from '../correlation/correlations.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { reports } from '../reports/audit-reports.ts';
import { validations } from '../reports/validations.ts';
import { complianceOf } from '../rules/validation.ts';
import { type AuditEventRow, eventById, eventList, stateOf } from '../trail/events.ts';
import { entityOf } from './entities.ts';

const event = (eventId: string, context: Context): Promise<AuditEventRow> =>
  existing(eventById(context, eventId), 'AuditEvent', eventId);

export const trailResolvers: Resolvers = {
  AuditEvent: {
    __resolveReference: ({ eventId }, context) => eventById(context, eventId),
    trace: ({ traceId }) => ({ traceId }),
    status: async ({ eventId }, _, context) => shown((await stateOf(context, eventId)).status),
    failure: async ({ eventId }, _, context) => (await stateOf(context, eventId)).failure,
    entity: (row) => entityOf(row),
    category: ({ category }) => shown(category),
    severity: ({ severity }) => shown(severity),
    origin: ({ origin }) => shown(origin),
    previousHash: ({ prevHash }) => prevHash,
    correlated: ({ eventId }, _, context) => correlatedWith(context, eventId),
    causalChain: async ({ eventId }, { maxDepth }, context) =>
      existing(causalChain(context, eventId, maxDepth ?? 10), 'AuditEvent', eventId),
  },
  Trace: {
    __resolveReference: ({ traceId }) => ({ traceId }),
    events: ({ traceId }, page, context) =>
      context.connectChildren(eventList, 'trace_id', traceId, { ...page, sortOrder: page.sortOrder ?? 'ASC' }),
    root: async ({ traceId }, _, context) => {
      const { nodes } = await context.connectChildren(eventList, 'trace_id', traceId, { first: 1, sortOrder: 'ASC' });
      return nodes[0] ?? null;
    },
  },
  AuditChain: { state: ({ state }) => shown(state) },
  ChainVerificationBreak: { sequence: ({ sequence }) => String(sequence), kind: ({ kind }) => shown(kind) },
  ChainBreak: { kind: ({ kind }) => shown(kind) },
  AuditCorrelation: {
    __resolveReference: ({ correlationId }, context) => context.load(correlations, correlationId),
    source: ({ sourceEventId }, _, context) => event(sourceEventId, context),
    target: ({ targetEventId }, _, context) => event(targetEventId, context),
    type: ({ correlationType }) => shown(correlationType),
  },
  CorrelationRule: { isEnabled: ({ enabled }) => enabled },
  ScenarioValidation: {
    __resolveReference: ({ runId }, context) => context.load(validations, runId),
    status: ({ status }) => shown(status),
    metCount: ({ expectations }) => expectations.filter(({ withinSla }) => withinSla).length,
    compliance: ({ expectations }) => complianceOf(expectations)?.toFixed(4) ?? null,
  },
  ValidatedExpectation: {
    isFound: ({ found }) => found,
    event: ({ eventId }, _, context) => (eventId === null ? null : eventById(context, eventId)),
    isWithinSla: ({ withinSla }) => withinSla,
  },
  AuditAnomaly: { kind: ({ kind }) => shown(kind) },
  AuditReport: {
    __resolveReference: ({ reportId }, context) => context.load(reports, reportId),
    from: ({ rangeStart }) => rangeStart,
    to: ({ rangeEnd }) => rangeEnd,
    compliance: ({ compliance }) => shown(compliance),
  },
};
