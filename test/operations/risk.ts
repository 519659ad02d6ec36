/** How the graph does each operation of risk's repositories (domain.md §5.2), and the test that shows it. */
import type { Operation } from './operation.ts';

export const operations: Operation[] = [
  {
    repository: 'Metrics',
    operation: 'create',
    fields: ['Mutation.calculateRisk'],
    test: ['test/graph/risk/monitor.test.ts', 'is stored of an account and each instrument, and read back'],
  },
  {
    repository: 'Metrics',
    operation: 'getById',
    fields: ['Query.riskMetric'],
    test: ['test/graph/risk/commands.test.ts', 'are read by id, account, instrument and as a series'],
  },
  {
    repository: 'Metrics',
    operation: 'update',
    fields: ['Mutation.completeRiskMetric'],
    test: ['test/graph/risk/commands.test.ts', 'are recorded in batches, completed once, and never changed'],
  },
  {
    repository: 'Metrics',
    operation: 'delete',
    fields: ['Mutation.deleteRiskMetrics'],
    test: ['test/graph/risk/commands.test.ts', 'are deleted when they are old, and only then'],
  },
  {
    repository: 'Metrics',
    operation: 'query',
    fields: ['Query.riskMetrics'],
    test: ['test/graph/risk/commands.test.ts', 'are read by id, account, instrument and as a series'],
  },
  {
    repository: 'Metrics',
    operation: 'getLatestByInstrument',
    fields: ['Query.latestRiskMetric'],
    test: ['test/graph/risk/commands.test.ts', 'are read by id, account, instrument and as a series'],
  },
  {
    repository: 'Metrics',
    operation: 'getLatestByAccount',
    fields: ['Query.latestRiskMetric'],
    test: ['test/graph/risk/monitor.test.ts', 'is stored of an account and each instrument, and read back'],
  },
  {
    repository: 'Metrics',
    operation: 'getTimeSeries',
    fields: ['Query.riskMetrics', 'Query.varHistory'],
    test: ['test/graph/risk/commands.test.ts', 'are read by id, account, instrument and as a series'],
  },
  {
    repository: 'Metrics',
    operation: 'createBatch',
    fields: ['Mutation.recordRiskMetrics'],
    test: ['test/graph/risk/commands.test.ts', 'are recorded in batches, completed once, and never changed'],
  },
  {
    repository: 'Metrics',
    operation: 'deleteOlderThan',
    fields: ['Mutation.deleteRiskMetrics'],
    test: ['test/graph/risk/commands.test.ts', 'are deleted when they are old, and only then'],
  },
  {
    repository: 'Alerts',
    operation: 'create',
    fields: ['Mutation.raiseAlert'],
    test: ['test/graph/risk/commands.test.ts', 'that occurs again while it is open is one, and as bad as the worst'],
  },
  {
    repository: 'Alerts',
    operation: 'getById',
    fields: ['Query.riskAlert'],
    test: ['test/graph/risk/contract.test.ts', '%s answers every field'],
  },
  {
    repository: 'Alerts',
    operation: 'update',
    fields: ['Mutation.raiseAlert'],
    test: ['test/graph/risk/commands.test.ts', 'that occurs again while it is open is one, and as bad as the worst'],
  },
  {
    repository: 'Alerts',
    operation: 'delete',
    fields: ['Mutation.resolveAlert'],
    test: ['test/graph/risk/commands.test.ts', 'that occurs again while it is open is one, and as bad as the worst'],
  },
  {
    repository: 'Alerts',
    operation: 'query',
    fields: ['Query.riskAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'getActive',
    fields: ['Query.activeAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'getBySeverity',
    fields: ['Query.riskAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'getByInstrument',
    fields: ['Query.riskAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'getByAccount',
    fields: ['Query.riskAlerts', 'Portfolio.openAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'acknowledge',
    fields: ['Mutation.acknowledgeAlert'],
    test: [
      'test/graph/risk/monitor.test.ts',
      'is lowered at once and breaks at once; its alert cannot be resolved while it is broken',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'resolve',
    fields: ['Mutation.resolveAlert'],
    test: ['test/graph/risk/commands.test.ts', 'that occurs again while it is open is one, and as bad as the worst'],
  },
  {
    repository: 'Alerts',
    operation: 'escalate',
    fields: ['Mutation.escalateAlert'],
    test: [
      'test/graph/risk/commands.test.ts',
      'escalates when nobody takes it up in time, not when somebody has, and by hand',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'expireOld',
    fields: ['Mutation.expireAlerts'],
    test: ['test/graph/risk/commands.test.ts', 'expires when its time is over, and is final then'],
  },
  {
    repository: 'Alerts',
    operation: 'countByStatus',
    fields: ['Query.alertCounts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Alerts',
    operation: 'getHistory',
    fields: ['Query.riskAlerts'],
    test: [
      'test/graph/risk/commands.test.ts',
      'is found by severity, status, instrument, account and time, and counted',
    ],
  },
  {
    repository: 'Limits',
    operation: 'create',
    fields: ['Mutation.setRiskLimit'],
    test: ['test/graph/risk/commands.test.ts', 'is made, tightened at once, and loosened by two people'],
  },
  {
    repository: 'Limits',
    operation: 'getById',
    fields: ['Query.riskLimit'],
    test: ['test/graph/risk/commands.test.ts', 'is made, tightened at once, and loosened by two people'],
  },
  {
    repository: 'Limits',
    operation: 'update',
    fields: ['Mutation.setRiskLimit'],
    test: ['test/graph/risk/commands.test.ts', 'is made, tightened at once, and loosened by two people'],
  },
  {
    repository: 'Limits',
    operation: 'delete',
    fields: ['Mutation.disableLimit'],
    test: [
      'test/graph/risk/commands.test.ts',
      'that a more specific one would loosen waits as well; a stricter one does not',
    ],
  },
  {
    repository: 'Limits',
    operation: 'query',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'getByType',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'getByInstrument',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'getByAccount',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'getGlobal',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'getEnabled',
    fields: ['Query.riskLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Limits',
    operation: 'enable',
    fields: ['Mutation.enableLimit'],
    test: [
      'test/graph/risk/commands.test.ts',
      'that a more specific one would loosen waits as well; a stricter one does not',
    ],
  },
  {
    repository: 'Limits',
    operation: 'disable',
    fields: ['Mutation.disableLimit'],
    test: [
      'test/graph/risk/monitor.test.ts',
      'ends its breach when it goes out of force, which a second person approves',
    ],
  },
  {
    repository: 'Limits',
    operation: 'updateThreshold',
    fields: ['Mutation.setRiskLimit', 'Mutation.approveLimitChange'],
    test: ['test/graph/risk/commands.test.ts', 'is made, tightened at once, and loosened by two people'],
  },
  {
    repository: 'Limits',
    operation: 'getEffective',
    fields: ['Query.effectiveLimits'],
    test: ['test/graph/risk/commands.test.ts', 'is found by what it is about, and by whether it is in force'],
  },
  {
    repository: 'Snapshots',
    operation: 'create',
    fields: ['Mutation.capturePositions'],
    test: ['test/graph/risk/monitor.test.ts', 'takes snapshots of positions, which are there as of an instant'],
  },
  {
    repository: 'Snapshots',
    operation: 'createBatch',
    fields: ['Mutation.capturePositions'],
    test: ['test/graph/risk/monitor.test.ts', 'takes snapshots of positions, which are there as of an instant'],
  },
  {
    repository: 'Snapshots',
    operation: 'getById',
    fields: ['Query.positionSnapshot'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'query',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getLatest',
    fields: ['Query.positionsAsOf'],
    test: ['test/graph/risk/monitor.test.ts', 'takes snapshots of positions, which are there as of an instant'],
  },
  {
    repository: 'Snapshots',
    operation: 'getByAccount',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getByInstrument',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getByVenue',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getBySource',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getTimeSeries',
    fields: ['Query.positionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'getAsOf',
    fields: ['Query.positionsAsOf'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'Snapshots',
    operation: 'deleteOlderThan',
    fields: ['Mutation.deletePositionSnapshots'],
    test: [
      'test/graph/risk/commands.test.ts',
      'of positions are what each source said, by account, instrument, venue and source',
    ],
  },
  {
    repository: 'ComplianceReports',
    operation: 'create',
    fields: ['Mutation.generateComplianceReport'],
    test: ['test/graph/risk/compliance.test.ts', 'of broken limits says how often, how long and how far'],
  },
  {
    repository: 'ComplianceReports',
    operation: 'getById',
    fields: ['Query.complianceReport'],
    test: ['test/graph/risk/compliance.test.ts', 'is kept as it is, and found by kind, account and time'],
  },
  {
    repository: 'ComplianceReports',
    operation: 'query',
    fields: ['Query.complianceReports'],
    test: ['test/graph/risk/compliance.test.ts', 'is kept as it is, and found by kind, account and time'],
  },
];
