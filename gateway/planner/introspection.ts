import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** Whether an operation asks for the graph's description: nothing else, among other things, or not at all. */
export type Introspection = 'whole' | 'mixed' | 'none';

export function introspectionOf(
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): Introspection {
  const names = rootFields(operation.selectionSet, fragments);
  if (names.every((name) => name.startsWith('__'))) return 'whole';
  return names.some(isIntrospective) ? 'mixed' : 'none';
}

/** The document as the planner takes it: subgraphs cannot describe the graph, so that is not asked of them. */
export function withoutIntrospection(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field({ name, alias = name }): FieldNode | undefined {
      if (!isIntrospective(name.value)) return undefined;
      return { kind: Kind.FIELD, alias, name: { kind: Kind.NAME, value: '__typename' } };
    },
  });
}

function isIntrospective(name: string): boolean {
  return name === '__schema' || name === '__type';
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
