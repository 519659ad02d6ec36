/** Operations of test coordination: domain.md lists 10 + 12 + 11 + 10, and what the coordinator does beside them. */
import type { Operation } from './operation.ts';

export const operations: Operation[] = [
  {
    repository: 'Scenarios',
    operation: 'create',
    fields: ['Mutation.createScenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is written, read, changed and deleted'],
  },
  {
    repository: 'Scenarios',
    operation: 'update',
    fields: ['Mutation.updateScenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is written, read, changed and deleted'],
  },
  {
    repository: 'Scenarios',
    operation: 'delete',
    fields: ['Mutation.deleteScenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is written, read, changed and deleted'],
  },
  {
    repository: 'Scenarios',
    operation: 'get_by_id',
    fields: ['Query.scenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is written, read, changed and deleted'],
  },
  {
    repository: 'Scenarios',
    operation: 'list_all',
    fields: ['Query.scenarios'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is found by type, category, status, tag and service'],
  },
  {
    repository: 'Scenarios',
    operation: 'get_by_type',
    fields: ['Query.scenarios'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is found by type, category, status, tag and service'],
  },
  {
    repository: 'Scenarios',
    operation: 'get_by_status',
    fields: ['Query.scenarios'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is found by type, category, status, tag and service'],
  },
  {
    repository: 'Scenarios',
    operation: 'search_by_tag',
    fields: ['Query.scenarios'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is found by type, category, status, tag and service'],
  },
  {
    repository: 'Scenarios',
    operation: 'get_active_scenarios',
    fields: ['Query.scenarios'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is found by type, category, status, tag and service'],
  },
  {
    repository: 'Scenarios',
    operation: 'update_status',
    fields: ['Mutation.activateScenario', 'Mutation.deprecateScenario', 'Mutation.archiveScenario'],
    test: [
      'test/graph/test-coordination/scenarios.test.ts',
      'goes from draft to active to deprecated and back, and is archived for good',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'create',
    fields: ['Mutation.startTestRun'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'goes through its phases in order, and its figures are those of its scenario',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'get_by_id',
    fields: ['Query.testRun'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is read by id, scenario, status and time, newest first'],
  },
  {
    repository: 'TestRuns',
    operation: 'get_by_scenario',
    fields: ['Query.testRuns', 'Scenario.runs'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is read by id, scenario, status and time, newest first'],
  },
  {
    repository: 'TestRuns',
    operation: 'get_by_status',
    fields: ['Query.testRuns'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is read by id, scenario, status and time, newest first'],
  },
  {
    repository: 'TestRuns',
    operation: 'get_recent_runs',
    fields: ['Query.testRuns'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is read by id, scenario, status and time, newest first'],
  },
  {
    repository: 'TestRuns',
    operation: 'get_runs_by_date_range',
    fields: ['Query.testRuns'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is read by id, scenario, status and time, newest first'],
  },
  {
    repository: 'TestRuns',
    operation: 'update',
    fields: ['Mutation.startTestRun', 'Mutation.stopTestRun'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is stopped, also when it waits, and no more than three are under way',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'update_status',
    fields: ['Mutation.startTestRun', 'Mutation.stopTestRun'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is stopped, also when it waits, and no more than three are under way',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'record_completion',
    fields: ['TestRun.exitCode', 'TestRun.durationMs'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'goes through its phases in order, and its figures are those of its scenario',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'delete',
    fields: ['Mutation.deleteTestRun'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is deleted with what belongs to it, when it is over'],
  },
  {
    repository: 'TestRuns',
    operation: 'calculate_pass_rate',
    fields: ['Scenario.passRate'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'goes through its phases in order, and its figures are those of its scenario',
    ],
  },
  {
    repository: 'TestRuns',
    operation: 'get_average_duration',
    fields: ['Scenario.averageDurationMs'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'goes through its phases in order, and its figures are those of its scenario',
    ],
  },
  {
    repository: 'Results',
    operation: 'create',
    fields: ['Mutation.recordTestResult'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'bulk_create',
    fields: ['Mutation.recordTestResults'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_by_id',
    fields: ['Query.testResult'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_by_run',
    fields: ['Query.testResults', 'TestRun.results'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_by_assertion_type',
    fields: ['Query.testResults'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_by_status',
    fields: ['Query.testResults'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_failed_results',
    fields: ['Query.testResults'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_by_correlation_id',
    fields: ['Query.testResults'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'calculate_pass_rate',
    fields: ['TestRun.passRate'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'count_by_status',
    fields: ['TestRun.resultCounts'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Results',
    operation: 'get_assertion_statistics',
    fields: ['Query.assertionStatistics'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'are recorded one by one or together, all or none, and never changed',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'create',
    fields: ['Mutation.injectChaos'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'update',
    fields: ['Mutation.injectChaos', 'Mutation.clearChaos'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'update_status',
    fields: ['Mutation.clearChaos'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'record_recovery',
    fields: ['ChaosEvent.recoveryTimeMs'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'get_by_id',
    fields: ['Query.chaosEvent'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'get_by_run',
    fields: ['TestRun.chaosEvents', 'Query.chaosEvents'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'get_by_type',
    fields: ['Query.chaosEvents'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'get_by_service',
    fields: ['Query.chaosEvents'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'get_active_events',
    fields: ['Query.chaosEvents'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'calculate_average_recovery_time',
    fields: ['Query.averageRecoveryTime'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is injected and cleared by hand while a run is under way, once a target and type',
    ],
  },
  {
    repository: 'Coordinator',
    operation: 'run',
    fields: ['Mutation.startTestRun'],
    test: ['test/graph/test-coordination/library.test.ts', '%s passes, and its detections are made in time'],
  },
  {
    repository: 'Coordinator',
    operation: 'stop',
    fields: ['Mutation.stopTestRun'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is stopped, also when it waits, and no more than three are under way',
    ],
  },
  {
    repository: 'Coordinator',
    operation: 'rollback',
    fields: ['TestRun.rollbackStatus'],
    test: [
      'test/graph/test-coordination/runner.test.ts',
      'is taken over by another, rolled back and ended as ERROR, and leaves no fault behind',
    ],
  },
  {
    repository: 'Coordinator',
    operation: 'validate',
    fields: ['Mutation.validateScenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is validated, whether it is stored or not'],
  },
  {
    repository: 'Coordinator',
    operation: 'render_template',
    fields: ['Mutation.renderTemplate', 'Query.scenarioTemplates'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is made from a template, with parameters of their types'],
  },
  {
    repository: 'Coordinator',
    operation: 'schedule',
    fields: ['Mutation.createScenario'],
    test: ['test/graph/test-coordination/scenarios.test.ts', 'is started by itself when its time has come'],
  },
  {
    repository: 'Coordinator',
    operation: 'logs',
    fields: ['Query.testRunLogs', 'Subscription.scenarioTimeline'],
    test: [
      'test/graph/test-coordination/commands.test.ts',
      'is followed live: its state, its lines, and what its assertions find',
    ],
  },
  {
    repository: 'Coordinator',
    operation: 'report',
    fields: ['Query.testReport'],
    test: ['test/graph/test-coordination/commands.test.ts', 'is reported as JSON, HTML and CSV'],
  },
  {
    repository: 'Coordinator',
    operation: 'lock',
    fields: ['Mutation.startTestRun'],
    test: [
      'test/graph/test-coordination/runner.test.ts',
      'in %s are had by one run, all or none, until they are released',
    ],
  },
];
