/** Compliance reports. */
import { shown } from '../../../platform/enums.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import {
  complianceReportById,
  complianceReportConditions,
  complianceReportList,
  generateComplianceReport,
} from './compliance-reports.ts';

export const complianceQueries = {
  complianceReport: (_, { id }, context) => complianceReportById(context, id),
  complianceReports: (_, { filter, ...page }, context) =>
    context.connect(complianceReportList, page, complianceReportConditions(filter)),
} satisfies QueryResolvers;

export const complianceMutations = {
  generateComplianceReport: (_, { input }, context) => generateComplianceReport(context, input),
} satisfies MutationResolvers;

export const complianceResolvers = {
  ComplianceReport: {
    __resolveReference: ({ reportId }, context) => complianceReportById(context, reportId),
    kind: ({ kind }) => shown(kind),
    from: ({ periodFrom }) => periodFrom,
    to: ({ periodTo }) => periodTo,
  },
  GenerateComplianceReportPayload: {
    report: ({ reportId }, _, context) => (reportId === undefined ? null : complianceReportById(context, reportId)),
  },
} satisfies Resolvers;
