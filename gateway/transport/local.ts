/** Subgraphs of this process: no socket, no JSON. */
import type { DocumentNode, ExecutionResult } from 'graphql';
import type { Exports } from '../../platform/transfer/exports.ts';
import type { SubgraphAnswer, SubgraphTransport } from './subgraph-call.ts';

export interface LocalRequest {
  document: DocumentNode;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
  /** x-request-id, traceparent, authorization. */
  headers: Record<string, string>;
  signal?: AbortSignal;
}

export interface LocalSubgraph {
  name: string;
  /** The federation SDL. */
  sdl: string;
  /** One operation, with a context of its own: loaders that outlive a call would answer a later one with stale rows. */
  execute(request: LocalRequest): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** Its data as files. @default none */
  exports?: Exports;
  /** Whether the subgraph can answer now. @default always */
  isReady?(): Promise<boolean>;
}

export function localTransport(subgraph: LocalSubgraph): SubgraphTransport {
  return ({ document, variables, operationName, scope }, signal): Promise<SubgraphAnswer> =>
    subgraph.execute({ document, variables, operationName, headers: scope.headers, signal });
}
