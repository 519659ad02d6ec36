import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { anchorChains, resealChain } from '../chain/chain-commands.ts';
import { correlateEvents, purgeCorrelations, setCorrelationRule } from '../correlation/correlation-commands.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { generateAuditReport } from '../reports/audit-reports.ts';
import { validateScenarioRun } from '../reports/validations.ts';
import {
  archiveAuditEvents,
  ingestAuditEvent,
  ingestAuditEvents,
  reprocessAuditEvent,
} from '../trail/trail-commands.ts';

export const Mutation: MutationResolvers = {
  invalidateAuditCache: invalidateCache,
  ingestAuditEvent: (_, { input }, context) => ingestAuditEvent(context, input),
  ingestAuditEvents: (_, { input }, context) => ingestAuditEvents(context, input),
  archiveAuditEvents: (_, { input }, context) => archiveAuditEvents(context, input),
  reprocessAuditEvent: (_, { input }, context) => reprocessAuditEvent(context, input),
  anchorChains: (_, { input }, context) => anchorChains(context, input),
  resealChain: (_, { input }, context) => resealChain(context, input),
  correlateEvents: (_, { input }, context) => correlateEvents(context, input),
  purgeCorrelations: (_, { input }, context) => purgeCorrelations(context, input),
  setCorrelationRule: (_, { input }, context) => setCorrelationRule(context, input),
  validateScenarioRun: (_, { input }, context) => validateScenarioRun(context, input),
  generateAuditReport: (_, { input }, context) => generateAuditReport(context, input),
};
