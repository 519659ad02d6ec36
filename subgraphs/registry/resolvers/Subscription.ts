import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { serviceName } from '../rules/names.ts';
import { serviceChanges } from '../service-changes.ts';
import { configChoice, configTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  registryEvents: domainEvents,
  serviceChanges: {
    subscribe: (_, { name, after }, { service }) =>
      serviceChanges(service.watch, { name: name && serviceName(name, ['name']), after }),
    resolve,
  },
  configChanges: {
    subscribe: (_, { keys, service, after }, context) =>
      context.changes(configTopic, { choice: configChoice(keys, service), after }),
    resolve,
  },
};
