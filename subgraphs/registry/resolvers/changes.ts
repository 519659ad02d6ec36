/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';

export const changes: Resolvers = {
  ServiceChange: { service: rowOf },
  ConfigChange: { config: rowOf },
};
