import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { Kind, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';
import { limitExceeded } from '../errors.ts';

/** Refuses operations that nest fields deeper. Introspection does not count: GraphQL limits it by itself. */
export function useDepthLimit(max: number): GatewayPlugin {
  const DepthLimit = depthRule(max);
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(DepthLimit);
    },
  };
}

function depthRule(max: number): ValidationRule {
  return function DepthLimitRule(context) {
    const depthOf = measure(context);
    return {
      OperationDefinition(node) {
        const actual = depthOf(node.selectionSet);
        if (actual <= max) return;
        const message = `The operation nests fields ${actual} levels deep; at most ${max} are allowed. Ask for parts of it separately.`;
        context.reportError(limitExceeded(message, { name: 'depth', max, actual }));
      },
    };
  };
}

/** Depths of fragments are remembered, or a few that spread each other would take exponential time. */
function measure(context: ValidationContext): (selectionSet: SelectionSetNode) => number {
  const fragments = new Map<string, number>();

  function depthOfFragment(name: string): number {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    fragments.set(name, 0); // while it is measured: a fragment within itself is refused by another rule
    const fragment = context.getFragment(name);
    const depth = fragment ? depthOf(fragment.selectionSet) : 0;
    fragments.set(name, depth);
    return depth;
  }

  function depthOf({ selections }: SelectionSetNode): number {
    let deepest = 0;
    for (const selection of selections) {
      let depth = 0;
      if (selection.kind === Kind.FRAGMENT_SPREAD) depth = depthOfFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) depth = depthOf(selection.selectionSet);
      else if (!selection.name.value.startsWith('__')) {
        depth = 1 + (selection.selectionSet ? depthOf(selection.selectionSet) : 0);
      }
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  }

  return depthOf;
}
