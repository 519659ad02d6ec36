/** The runtime's handler of a supergraph, by Hive's native planner. */
import type { UnifiedGraphHandler } from '@graphql-hive/gateway-runtime';
import { buildASTSchema, type DocumentNode, type ExecutionResult } from 'graphql';
import type { Logger } from '../../platform/log.ts';
import { presentResult } from '../errors.ts';
import type { Live } from '../live/live.ts';
import { Member } from '../live/member.ts';
import { type ExecutionRequest, type Executor, operationContext } from '../runtime.ts';
import type { RequestScope } from '../scope.ts';
import type { SubgraphExecutor } from '../transport/subgraph-call.ts';
import { createPlanExecutor } from './planner.ts';

export interface NativePlannerOptions {
  publicSchema: DocumentNode;
  executors: ReadonlyMap<string, SubgraphExecutor>;
  live: Live;
  log: Logger;
}

/** Undefined where the planner's addon does not load (there is none for musl and Windows); the log says so. */
export async function nativePlanner(options: NativePlannerOptions): Promise<UnifiedGraphHandler | undefined> {
  const { publicSchema, executors, live, log } = options;
  const addon = await import('@graphql-hive/router-query-planner').catch((error: unknown) => {
    log.warn({ err: error }, 'the native query planner does not load: the slower stitching planner is used');
    return undefined;
  });
  if (!addon) return undefined;
  return ({ unifiedGraph, getUnifiedGraphSDL }) => {
    const schema = buildASTSchema(publicSchema, { assumeValidSDL: true });
    const queryPlanner = new addon.QueryPlanner(getUnifiedGraphSDL());
    const present = (result: ExecutionResult, scope: RequestScope) => presentResult(result, scope, log);
    const execute = createPlanExecutor({ queryPlanner, schema, supergraph: unifiedGraph, executors, live, present });
    const executor = async ({ document, variables, operationName, context = {} }: ExecutionRequest) => {
      const { scope, delivery } = operationContext(context);
      const result = await execute({ document, variables, operationName, scope });
      if (delivery && result instanceof Member) delivery.live = result;
      return result;
    };
    return { unifiedGraph: schema, getSubgraphSchema: () => schema, executor: executor as Executor };
  };
}
