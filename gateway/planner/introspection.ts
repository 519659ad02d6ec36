import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

/** Whether an operation asks for the graph's description: nothing else, among other things, or not at all. */
export type Introspection = 'whole' | 'mixed' | 'none';

export function introspectionOf(
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): Introspection {
  const names = rootFields(operation.selectionSet, fragments);
  if (names.every((name) => name.startsWith('__'))) return 'whole';
  return names.some((name) => name === '__schema' || name === '__type') ? 'mixed' : 'none';
}

function rootFields(
  { selections }: SelectionSetNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value;
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection;
    return fragment ? rootFields(fragment.selectionSet, fragments) : [];
  });
}
