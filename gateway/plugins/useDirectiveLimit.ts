import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import type { ValidationRule } from 'graphql';
import { limitExceeded } from '../errors.ts';

/** Refuses documents with more directives: each is looked at again and again. */
export function useDirectiveLimit(max: number): GatewayPlugin {
  const DirectiveLimit = directiveRule(max);
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(DirectiveLimit);
    },
  };
}

function directiveRule(max: number): ValidationRule {
  return function DirectiveLimitRule(context) {
    let actual = 0;
    return {
      Directive() {
        actual++;
      },
      Document: {
        leave() {
          if (actual <= max) return;
          const message = `The document has ${actual} directives; at most ${max} are allowed.`;
          context.reportError(limitExceeded(message, { name: 'directives', max, actual }));
        },
      },
    };
  };
}
