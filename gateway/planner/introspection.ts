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
  const names = Array.from(rootFields(operation.selectionSet, fragments, new Set()));
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

/** Names of the root fields, each fragment looked at once: fragments may spread each other many times. */
function* rootFields(
  { selections }: SelectionSetNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  seen: Set<string>,
): Generator<string> {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) yield selection.name.value;
    else if (selection.kind === Kind.INLINE_FRAGMENT) yield* rootFields(selection.selectionSet, fragments, seen);
    else if (!seen.has(selection.name.value)) {
      seen.add(selection.name.value);
      const fragment = fragments[selection.name.value];
      if (fragment) yield* rootFields(fragment.selectionSet, fragments, seen);
    }
  }
}
