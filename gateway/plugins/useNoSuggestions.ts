import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { isStream } from '../../platform/streams.ts';

const SUGGESTION = / Did you mean .*\?$/s;

/** Keeps "Did you mean …?" out of messages: names that were not asked for stay unknown. */
export function useNoSuggestions(): GatewayPlugin {
  return {
    onExecutionResult({ result, setResult }) {
      if (isStream(result)) return;
      const { errors, ...rest } = result as ExecutionResult;
      if (!errors?.some(({ message }) => SUGGESTION.test(message))) return;
      setResult({ errors: errors.map(silence), ...rest } as never);
    },
  };
}

function silence(error: GraphQLError): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null, originalError = null, extensions } = error;
  const message = error.message.replace(SUGGESTION, '');
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions });
}
