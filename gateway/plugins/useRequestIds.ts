import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ExecutionResult } from 'graphql';
import { isStream } from '../../platform/streams.ts';
import { type OperationContext, operationContext } from '../runtime.ts';
import type { DegradedStore } from '../scope.ts';

/**
 * Tells with each answer (events of a subscription aside) the request's ids, so that logs and traces of it are found, and
 * which stores were not to be had for it.
 */
export function useRequestIds(): GatewayPlugin<OperationContext> {
  return {
    onExecutionResult({ result, setResult, context }) {
      if (isStream(result)) return;
      const { requestId, traceId, degraded } = operationContext(context).scope;
      const answer = result as ExecutionResult;
      setResult({ ...answer, extensions: { ...answer.extensions, requestId, traceId, ...toldOf(degraded) } } as never);
    },
  };
}

/** Each store once, with the oldest that was seen of it. */
function toldOf(states: readonly DegradedStore[]): { degraded?: DegradedStore[] } {
  if (states.length === 0) return {};
  const told = new Map<string, DegradedStore>();
  for (const state of states) {
    const name = `${state.domain} ${state.store}`;
    const known = told.get(name);
    if (!known || (state.asOf ?? '~') < (known.asOf ?? '~')) told.set(name, state);
  }
  return { degraded: [...told.values()] };
}
