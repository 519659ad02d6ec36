import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ExecutionResult } from 'graphql';
import { isStream } from '../../platform/streams.ts';
import { type OperationContext, operationContext } from '../runtime.ts';

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
      const told = { requestId, traceId, ...(degraded.length > 0 && { degraded }) };
      setResult({ ...answer, extensions: { ...answer.extensions, ...told } } as never);
    },
  };
}
