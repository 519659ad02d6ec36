import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { Kind, type SelectionSetNode, type ValidationContext, type ValidationRule } from 'graphql';
import { limitExceeded } from '../errors.ts';

/**
 * Refuses operations that select more once their fragments are written out. A few fragments that spread each other twice
 * stand for a billion selections, and everybody who plans or shapes an answer would walk through them.
 */
export function useSelectionLimit(max: number): GatewayPlugin {
  const SelectionLimit = selectionRule(max);
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(SelectionLimit);
    },
  };
}

function selectionRule(max: number): ValidationRule {
  return function SelectionLimitRule(context) {
    const count = counter(context);
    return {
      OperationDefinition(node) {
        const actual = count(node.selectionSet);
        if (actual <= max) return;
        const message = `The operation selects ${actual} fields once its fragments are written out; at most ${max} are allowed.`;
        context.reportError(limitExceeded(message, { name: 'selections', max, actual }));
      },
    };
  };
}

/** Counts each fragment once and remembers it. */
function counter(context: ValidationContext): (selectionSet: SelectionSetNode) => number {
  const fragments = new Map<string, number>();

  function countFragment(name: string): number {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    fragments.set(name, 0); // while it is counted: a fragment within itself is refused by another rule
    const fragment = context.getFragment(name);
    const size = fragment ? count(fragment.selectionSet) : 0;
    fragments.set(name, size);
    return size;
  }

  function count({ selections }: SelectionSetNode): number {
    return selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return sum + 1 + countFragment(selection.name.value);
      return sum + 1 + (selection.selectionSet ? count(selection.selectionSet) : 0);
    }, 0);
  }

  return count;
}
