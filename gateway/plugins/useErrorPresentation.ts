import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ExecutionResult } from 'graphql';
import type { Logger } from '../../platform/log.ts';
import { isStream } from '../../platform/streams.ts';
import { presentResult } from '../errors.ts';
import { type OperationContext, operationContext } from '../runtime.ts';
import type { RequestScope } from '../scope.ts';

/** Shows clients their own faults and nothing of how the graph is built; bugs are logged whole. */
export function useErrorPresentation(log: Logger): GatewayPlugin<OperationContext> {
  return {
    onExecutionResult({ result, setResult, context }) {
      const { scope } = operationContext(context);
      if (isStream<ExecutionResult>(result)) setResult(presentStream(result, scope, log) as never);
      else if ((result as ExecutionResult).errors)
        setResult(presentResult(result as ExecutionResult, scope, log) as never);
    },
  };
}

/** A stream that breaks says why in its last result, as one that ends does not. */
function presentStream(source: AsyncIterable<ExecutionResult>, scope: RequestScope, log: Logger) {
  const iterator = source[Symbol.asyncIterator]();
  let isBroken = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (isBroken) return { done: true as const, value: undefined };
      try {
        const { done, value } = await iterator.next();
        if (done) return { done: true as const, value: undefined };
        return { done: false as const, value: presentResult(value, scope, log) };
      } catch (error) {
        isBroken = true;
        return { done: false as const, value: presentResult({ errors: [error as never] }, scope, log) };
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true as const, value: undefined };
    },
  };
}
