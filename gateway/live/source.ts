import type { ExecutionResult } from 'graphql';
import type { SubgraphAnswer } from '../transport/subgraph-call.ts';
import type { Mark } from './live-fetch.ts';

/** One client's subscription to changes, as the live streams need to know it. */
export interface LiveSource {
  /** Subscribers with equal keys get the same events and may share them. */
  readonly key: string;
  /** The domain that tells the changes. */
  readonly domain: string;
  /** The cursor after which the client wants to begin. */
  readonly after: string | undefined;
  /** Subscribes at the domain's subgraph. */
  open(after: string | undefined): Promise<SubgraphAnswer>;
  /** Undefined for an event that holds no change, only errors. */
  markOf(event: ExecutionResult): Mark | undefined;
  /** The event in the client's shape, with what other domains know of it. */
  complete(event: ExecutionResult, mark: Mark | undefined): ExecutionResult | Promise<ExecutionResult>;
  /** The result as clients may see it. */
  present(result: ExecutionResult): ExecutionResult;
}
