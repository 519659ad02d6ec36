/** The Hive gateway runtime, dressed with the plugins of this gateway. */
import {
  createGatewayRuntime,
  type GatewayPlugin,
  type GatewayRuntime,
  type UnifiedGraphHandler,
} from '@graphql-hive/gateway-runtime';
import { type ExecutionResult, type GraphQLError, print } from 'graphql';
import type { Logger } from '../platform/log.ts';
import { presentResult } from './errors.ts';
import type { Limits } from './limits.ts';
import { useAliasLimit } from './plugins/useAliasLimit.ts';
import { useCostLimit } from './plugins/useCostLimit.ts';
import { useDepthLimit } from './plugins/useDepthLimit.ts';
import { useDirectiveLimit } from './plugins/useDirectiveLimit.ts';
import { useDocuments } from './plugins/useDocuments.ts';
import { useErrorPresentation } from './plugins/useErrorPresentation.ts';
import { useNoSuggestions } from './plugins/useNoSuggestions.ts';
import { useReadOnly } from './plugins/useReadOnly.ts';
import { useRequestIds } from './plugins/useRequestIds.ts';
import { useSelectionLimit } from './plugins/useSelectionLimit.ts';
import { teachScalars } from './scalars.ts';
import type { RequestScope } from './scope.ts';
import type { SubgraphExecutor } from './transport/subgraph-call.ts';

export interface Operation {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  /** Commands are refused. */
  isReadOnly?: boolean;
}

/** What plugins and the planner find in an operation's context. */
export interface OperationContext {
  scope: RequestScope;
  isReadOnly?: boolean;
  /** Takes what need not pass through the runtime's own layers. */
  delivery?: Delivery;
}

/** A stream whose results are ready to be sent: the runtime would wrap it, and each result, several times. */
export interface Delivery {
  live?: AsyncIterable<ExecutionResult>;
}

export type OperationResult = ExecutionResult | AsyncIterable<ExecutionResult>;

export interface OperationRunner {
  /** Parses, validates, plans and executes; never rejects. */
  run(operation: Operation, scope: RequestScope): Promise<OperationResult>;
  /** The answer to a request that holds no operation. */
  refuse(fault: GraphQLError, scope: RequestScope): ExecutionResult;
}

export interface RuntimeOptions {
  supergraphSdl: string;
  executors: ReadonlyMap<string, SubgraphExecutor>;
  /** @default the runtime's stitching planner */
  unifiedGraphHandler: UnifiedGraphHandler | undefined;
  limits: Limits;
  /** Whether messages name fields that come close to an unknown one. */
  suggests: boolean;
  log: Logger;
}

/** How the runtime asks whoever answers an operation. */
export type Executor = NonNullable<Awaited<ReturnType<UnifiedGraphHandler>>['executor']>;
export type ExecutionRequest = Parameters<Executor>[0];

export type Runtime = GatewayRuntime<OperationContext>;

/** The runtime with its schema loaded: an operation that came before that would fail. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { supergraphSdl, executors, unifiedGraphHandler } = options;
  const runtime = createGatewayRuntime<OperationContext>({
    supergraph: supergraphSdl,
    logging: false, // what is worth a line is logged by the plugins, through our own logger
    maskedErrors: false, // useErrorPresentation does it
    requestId: false, // useRequestIds does it
    subgraphErrors: false, // would tell clients the names of services
    __experimental__batchExecution: false, // plans hold one fetch a subgraph a level already
    ...(unifiedGraphHandler && { unifiedGraphHandler }),
    transports: () => ({
      getSubgraphExecutor: ({ subgraphName }) => throughExecutor(executors.get(subgraphName), subgraphName),
    }),
    plugins: () => plugins(options),
  });
  teachScalars(await runtime.getSchema());
  return runtime;
}

function plugins({ limits, suggests, log }: RuntimeOptions): GatewayPlugin<OperationContext>[] {
  return [
    useDocuments(limits),
    useDepthLimit(limits.depth),
    useSelectionLimit(limits.selections),
    useAliasLimit(limits.aliases),
    useDirectiveLimit(limits.directives),
    useCostLimit(limits.cost),
    useReadOnly(),
    ...(suggests ? [] : [useNoSuggestions()]),
    useErrorPresentation(log),
    useRequestIds(),
  ];
}

export function operationRunner(runtime: Runtime, log: Logger): OperationRunner {
  const refuse = (fault: GraphQLError, scope: RequestScope) => presentResult({ errors: [fault] }, scope, log);
  return {
    refuse,
    async run({ query, variables, operationName, isReadOnly }, scope) {
      try {
        const params = { query, ...(variables && { variables }), ...(operationName && { operationName }) };
        const delivery: Delivery = {};
        const context = { scope, headers: {}, delivery, ...(isReadOnly && { isReadOnly }) };
        const result = await runtime.getResultForParams({ params, request: undefined as never }, context as never);
        return delivery.live ?? (result as OperationResult);
      } catch (error) {
        return refuse(error as GraphQLError, scope);
      }
    },
  };
}

/** The operation's own part of a context that the runtime has added to. */
export function operationContext(context: object): OperationContext {
  return context as OperationContext;
}

/** How the stitching planner reaches a subgraph. */
function throughExecutor(executor: SubgraphExecutor | undefined, name: string): Executor {
  if (!executor) throw new Error(`The plan names a subgraph that is not there: ${name}`);
  const execute = ({ document, variables, operationName, operationType, context = {} }: ExecutionRequest) =>
    executor({
      document,
      text: print(document),
      kind: operationType ?? 'query',
      variables,
      operationName,
      scope: operationContext(context).scope,
    });
  return execute as Executor;
}
