import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ValidationRule } from 'graphql';
import { limitExceeded } from '../errors.ts';

/** Refuses documents with more aliases: the cheapest way to ask one costly thing a thousand times. */
export function useAliasLimit(max: number): GatewayPlugin {
  const AliasLimit = aliasRule(max);
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(AliasLimit);
    },
  };
}

function aliasRule(max: number): ValidationRule {
  return function AliasLimitRule(context) {
    let actual = 0;
    return {
      Field({ alias }) {
        if (alias) actual++;
      },
      Document: {
        leave() {
          if (actual <= max) return;
          const message = `The document has ${actual} aliases; at most ${max} are allowed. Send several requests, or ask for a list.`;
          context.reportError(limitExceeded(message, { name: 'aliases', max, actual }));
        },
      },
    };
  };
}
