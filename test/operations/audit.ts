/** The operations of the audit (domain.md §8.2). */
import type { Operation } from './operation.ts';

const EVENTS = 'test/graph/audit/events.test.ts';
const REPORTS = 'test/graph/audit/reports.test.ts';

const SEALED = 'that a service tells is sealed as it was told, and known by its id';
const ADDED = 'is added with others in their order, or none is';
const FOUND = 'is found by all that a filter takes, counted alike, and paged';
const AGAIN = 'that has failed is taken up again; others are not';
const TIES = 'tie the events of one trace, and what rules find, one way and surely enough';
const CHAIN = 'make a chain, once each event, in whatever circles they lie';
const FORGOTTEN = 'are forgotten after a year, not before';
const ASIDE = 'are put aside whole, and stay found, in their chains';
const JUDGED = 'is judged by what the trail shows of it, and finally';
const DIFFERS = 'has anomalies, and differs from the one before it';

const operation = (repository: string, name: string, fields: string[], file: string, title: string): Operation => ({
  repository,
  operation: name,
  fields,
  test: [file, title],
});

export const operations: Operation[] = [
  operation('AuditEvents', 'Create', ['Mutation.ingestAuditEvent'], EVENTS, SEALED),
  operation('AuditEvents', 'CreateBatch', ['Mutation.ingestAuditEvents'], EVENTS, ADDED),
  operation('AuditEvents', 'GetByID', ['Query.auditEvent'], EVENTS, ADDED),
  operation('AuditEvents', 'Update', ['Mutation.reprocessAuditEvent'], EVENTS, AGAIN),
  operation('AuditEvents', 'UpdateBatch', ['Mutation.reprocessAuditEvent'], EVENTS, AGAIN),
  operation('AuditEvents', 'Delete', ['Mutation.archiveAuditEvents'], REPORTS, ASIDE),
  operation('AuditEvents', 'Query', ['Query.auditEvents'], EVENTS, FOUND),
  operation('AuditEvents', 'Count', ['Query.auditEventCount'], EVENTS, FOUND),
  operation(
    'AuditEvents',
    'GetByTraceID',
    ['Trace.events', 'Query.trace'],
    'test/graph/audit/following.test.ts',
    'is an event of its trace, with the thing it is about, from any of its subgraphs',
  ),
  operation(
    'AuditEvents',
    'GetCorrelatedEvents',
    ['AuditEvent.correlated'],
    EVENTS,
    'find what led to something though its cause was told later',
  ),
  operation('AuditEvents', 'DeleteOlderThan', ['Mutation.archiveAuditEvents'], REPORTS, ASIDE),
  operation('AuditEvents', 'ArchiveOlderThan', ['Mutation.archiveAuditEvents', 'Query.auditTrail'], REPORTS, ASIDE),
  operation('Correlations', 'CreateCorrelation', ['Mutation.correlateEvents'], EVENTS, CHAIN),
  operation('Correlations', 'CreateCorrelations', ['Mutation.correlateEvents'], EVENTS, CHAIN),
  operation('Correlations', 'GetCorrelationsByEvent', ['Query.correlations'], EVENTS, TIES),
  operation('Correlations', 'GetCorrelationsByType', ['Query.correlations'], EVENTS, TIES),
  operation(
    'Correlations',
    'FindSimilarEvents',
    ['Query.similarEvents'],
    EVENTS,
    'are likenesses as well: same type and service, shared tags and metadata',
  ),
  operation('Correlations', 'GetCorrelationChain', ['Query.causalChain', 'AuditEvent.causalChain'], EVENTS, CHAIN),
  operation('Correlations', 'DeleteCorrelationsOlderThan', ['Mutation.purgeCorrelations'], EVENTS, FORGOTTEN),
  operation('Analysis', 'timeline', ['Query.timeline'], REPORTS, 'is a timeline of what led to what'),
  operation(
    'Analysis',
    'scenarioValidation',
    ['Mutation.validateScenarioRun', 'Query.scenarioValidation', 'Query.scenarioValidations'],
    REPORTS,
    JUDGED,
  ),
  operation('Analysis', 'riskSla', ['Query.riskSla'], REPORTS, JUDGED),
  operation('Analysis', 'coverage', ['Query.coverage'], REPORTS, JUDGED),
  operation('Analysis', 'anomalies', ['Query.anomalies'], REPORTS, DIFFERS),
  operation('Analysis', 'performanceImpact', ['Query.performanceImpact'], REPORTS, DIFFERS),
  operation('Analysis', 'auditTrail', ['Query.auditTrail'], REPORTS, ASIDE),
  operation(
    'Analysis',
    'generateAuditReport',
    ['Mutation.generateAuditReport', 'Query.auditReport', 'Query.auditReports'],
    REPORTS,
    'has a report, which is kept',
  ),
  operation(
    'Analysis',
    'verify',
    ['Query.verifyChain', 'Mutation.anchorChains', 'Mutation.resealChain'],
    REPORTS,
    'are written down outside the database, and what was cut off since is missed',
  ),
];
