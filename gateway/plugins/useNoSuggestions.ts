import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ExecutionResult } from 'graphql';
import { isStream } from '../streams.ts';

const SUGGESTION = / Did you mean .*\?$/s;

/** Keeps "Did you mean …?" out of messages: names that were not asked for stay unknown. */
export function useNoSuggestions(): GatewayPlugin {
  return {
    onExecutionResult({ result, setResult }) {
      if (isStream(result)) return;
      const { errors, ...rest } = result as ExecutionResult;
      if (!errors?.some(({ message }) => SUGGESTION.test(message))) return;
      const silenced = errors.map((error) => ({ ...error, message: error.message.replace(SUGGESTION, '') }));
      setResult({ errors: silenced, ...rest } as never);
    },
  };
}
