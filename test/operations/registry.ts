import type { Operation } from './operation.ts';

const SERVICES = 'test/graph/registry/services.test.ts';
const DISCOVERY = 'test/platform/repositories/services.test.ts';
const CACHE = 'test/platform/repositories/cache.test.ts';

/** domain.md §1.14. The cache is a port inside the processes and no part of the graph. */
export const operations: Operation[] = [
  {
    repository: 'ServiceDiscovery',
    operation: 'register',
    fields: ['Mutation.registerService'],
    test: [SERVICES, 'are known as they registered'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'deregister',
    fields: ['Mutation.deregisterService'],
    test: [SERVICES, 'end once, and without an error twice'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'update_heartbeat',
    fields: ['Mutation.heartbeat'],
    test: [SERVICES, 'take heartbeats and states, which nobody else can have'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'get_service',
    fields: ['Query.service'],
    test: [DISCOVERY, 'gives of a name the healthy one that was heard of last'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'get_service_by_id',
    fields: ['Query.serviceById'],
    test: [DISCOVERY, 'lets go what sends no heartbeat, for every operation'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'list_services',
    fields: ['Query.services'],
    test: [SERVICES, 'are listed, and found by name, as long as they are heard of'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'list_healthy_services',
    fields: ['Query.services'],
    test: [DISCOVERY, 'takes for healthy what says so and was heard of within the threshold'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'cleanup_stale_services',
    fields: ['Mutation.cleanupStaleServices'],
    test: [SERVICES, 'are cleaned up when they have been silent for longer'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'update_status',
    fields: ['Mutation.setServiceStatus', 'Subscription.serviceChanges'],
    test: [SERVICES, 'take heartbeats and states, which nobody else can have'],
  },
  {
    repository: 'ServiceDiscovery',
    operation: 'list_services_by_name',
    fields: ['Query.services'],
    test: [DISCOVERY, 'lists by name and then by id'],
  },
  {
    repository: 'Cache',
    operation: 'get',
    fields: [],
    test: [CACHE, 'gives what was set, and null for what was not'],
  },
  {
    repository: 'Cache',
    operation: 'set',
    fields: [],
    test: [CACHE, 'lets what is set live as long as the default, as said, or for ever'],
  },
  { repository: 'Cache', operation: 'delete', fields: [], test: [CACHE, 'deletes once, and counts exactly'] },
  {
    repository: 'Cache',
    operation: 'exists',
    fields: [],
    test: [CACHE, 'gives what was set, and null for what was not'],
  },
  {
    repository: 'Cache',
    operation: 'get_json',
    fields: [],
    test: [CACHE, 'keeps JSON, and fails on text that is none'],
  },
  {
    repository: 'Cache',
    operation: 'set_json',
    fields: [],
    test: [CACHE, 'keeps JSON, and fails on text that is none'],
  },
  { repository: 'Cache', operation: 'get_many', fields: [], test: [CACHE, 'gives many in the order of their keys'] },
  { repository: 'Cache', operation: 'set_many', fields: [], test: [CACHE, 'gives many in the order of their keys'] },
  {
    repository: 'Cache',
    operation: 'delete_pattern',
    fields: ['Mutation.invalidateRegistryCache'],
    test: [CACHE, 'lists and deletes thousands, each once'],
  },
  { repository: 'Cache', operation: 'keys', fields: [], test: [CACHE, 'lists and deletes thousands, each once'] },
  {
    repository: 'Cache',
    operation: 'ttl',
    fields: [],
    test: [CACHE, 'lets what is set live as long as the default, as said, or for ever'],
  },
  {
    repository: 'Cache',
    operation: 'expire',
    fields: [],
    test: [CACHE, 'changes the time to live of what is there only'],
  },
  {
    repository: 'Cache',
    operation: 'increment',
    fields: [],
    test: [CACHE, 'counts, keeps the time to live, and lets a new counter live as long as the default'],
  },
  {
    repository: 'Cache',
    operation: 'decrement',
    fields: [],
    test: [CACHE, 'counts, keeps the time to live, and lets a new counter live as long as the default'],
  },
  { repository: 'Cache', operation: 'delete_many', fields: [], test: [CACHE, 'deletes once, and counts exactly'] },
  {
    repository: 'Cache',
    operation: 'flush',
    fields: ['Mutation.invalidateRegistryCache'],
    test: [CACHE, 'never touches a key of another'],
  },
];
