import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ExecutionResult } from 'graphql';
import { isStream } from '../../platform/streams.ts';
import { type OperationContext, operationContext } from '../runtime.ts';

/** Tells the request's ids in each answer (events of a subscription aside), so that logs and traces of it are found. */
export function useRequestIds(): GatewayPlugin<OperationContext> {
  return {
    onExecutionResult({ result, setResult, context }) {
      if (isStream(result)) return;
      const { requestId, traceId } = operationContext(context).scope;
      const answer = result as ExecutionResult;
      setResult({ ...answer, extensions: { ...answer.extensions, requestId, traceId } } as never);
    },
  };
}
