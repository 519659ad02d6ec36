/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';

export const changes: Resolvers = {
  TestRunChange: { run: rowOf },
  ScenarioTimelineChange: { entry: rowOf },
  AssertionChange: { result: rowOf },
  ChaosEventChange: { event: rowOf },
};
