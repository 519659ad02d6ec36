/** The runtime's handler of a supergraph, by Hive's native planner. */
import type { UnifiedGraphHandler } from '@graphql-hive/gateway-runtime';
import { buildASTSchema, type DocumentNode } from 'graphql';
import type { Logger } from '../../platform/log.ts';
import { type ExecutionRequest, type Executor, operationContext } from '../runtime.ts';
import type { SubgraphExecutor } from '../transport/subgraph-call.ts';
import { createPlanExecutor } from './planner.ts';

export interface NativePlannerOptions {
  publicSchema: DocumentNode;
  executors: ReadonlyMap<string, SubgraphExecutor>;
  log: Logger;
}

/** Undefined where the planner's addon does not load (there is none for musl and Windows); the log says so. */
export async function nativePlanner(options: NativePlannerOptions): Promise<UnifiedGraphHandler | undefined> {
  const { publicSchema, executors, log } = options;
  const addon = await import('@graphql-hive/router-query-planner').catch((error: unknown) => {
    log.warn({ err: error }, 'the native query planner does not load: the slower stitching planner is used');
    return undefined;
  });
  if (!addon) return undefined;
  return ({ unifiedGraph, getUnifiedGraphSDL }) => {
    const schema = buildASTSchema(publicSchema, { assumeValidSDL: true });
    const queryPlanner = new addon.QueryPlanner(getUnifiedGraphSDL());
    const execute = createPlanExecutor({ queryPlanner, schema, supergraph: unifiedGraph, executors });
    const executor = ({ document, variables, operationName, context = {} }: ExecutionRequest) =>
      execute({ document, variables, operationName, scope: operationContext(context).scope });
    return { unifiedGraph: schema, getSubgraphSchema: () => schema, executor: executor as Executor };
  };
}
