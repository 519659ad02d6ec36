/**
 * The answer in the shape that the client asked for: its keys in its order, nothing that the plan fetched for itself,
 * and null where a value may not be null moved up to the nearest place that may, as the GraphQL specification has it.
 */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { isTree, type Tree } from './tree.ts';

/**
 * Completes one value. Undefined means: null where null may not be; whoever holds it becomes null. `violations` collects
 * the places, as "Type.field".
 */
type Complete = (value: unknown, violations: string[]) => unknown;

interface Field {
  key: string;
  complete: Complete;
}

export type Projection = (data: Tree, violations: string[]) => Tree | null;

export interface ProjectionSource {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  /** Values of the variables that @skip and @include name. */
  variables: Readonly<Record<string, unknown>>;
}

/** Compiles the shape of the operation's answer. */
export function compileProjection(source: ProjectionSource): Projection {
  const { schema, operation } = source;
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`The graph has no ${operation.operation}`);
  const fields = compileFields(root, [operation.selectionSet], source);
  return (data, violations) => completeFields(data, fields, violations);
}

function completeFields(from: Tree, fields: readonly Field[], violations: string[]): Tree | null {
  const to: Tree = {};
  for (const { key, complete } of fields) {
    const value = complete(from[key], violations);
    if (value === undefined) return null;
    to[key] = value;
  }
  return to;
}

type Composite = GraphQLObjectType | GraphQLInterfaceType;

function compileFields(type: Composite, selectionSets: readonly SelectionSetNode[], source: ProjectionSource): Field[] {
  const nodes = new Map<string, FieldNode[]>();
  for (const selectionSet of selectionSets) collect(type, selectionSet, source, nodes, new Set());
  return Array.from(nodes, ([key, [first, ...others]]): Field => {
    const node = first as FieldNode;
    if (node.name.value === '__typename') return { key, complete: () => type.name };
    const field = type.getFields()[node.name.value];
    if (!field) return { key, complete: (value) => value ?? null };
    const selections = [node, ...others].flatMap(({ selectionSet }) => selectionSet ?? []);
    return { key, complete: compileType(field.type, selections, source, `${type.name}.${field.name}`) };
  });
}

function collect(
  type: Composite,
  selectionSet: SelectionSetNode,
  source: ProjectionSource,
  nodes: Map<string, FieldNode[]>,
  spread: Set<string>,
): void {
  for (const selection of selectionSet.selections) {
    if (!isIncluded(selection, source)) continue;
    if (selection.kind === 'Field') {
      const key = selection.alias?.value ?? selection.name.value;
      const same = nodes.get(key);
      if (same) same.push(selection);
      else nodes.set(key, [selection]);
      continue;
    }
    if (selection.kind === 'FragmentSpread' && spread.has(selection.name.value)) continue;
    if (selection.kind === 'FragmentSpread') spread.add(selection.name.value);
    const fragment = selection.kind === 'FragmentSpread' ? source.fragments[selection.name.value] : selection;
    if (fragment && applies(fragment.typeCondition?.name.value, type, source.schema)) {
      collect(type, fragment.selectionSet, source, nodes, spread);
    }
  }
}

function isIncluded(node: Parameters<typeof getDirectiveValues>[1], { variables }: ProjectionSource): boolean {
  if (!node.directives?.length) return true;
  if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false;
}

function applies(condition: string | undefined, type: Composite, schema: GraphQLSchema): boolean {
  if (condition === undefined || condition === type.name) return true;
  const conditional = schema.getType(condition);
  return isAbstractType(conditional) && schema.isSubType(conditional, type);
}

function compileType(
  type: GraphQLOutputType,
  selections: readonly SelectionSetNode[],
  source: ProjectionSource,
  place: string,
): Complete {
  if (isNonNullType(type)) {
    const complete = compileType(type.ofType, selections, source, place);
    return (value, violations) => {
      const completed = complete(value, violations);
      if (completed !== null) return completed;
      violations.push(place);
      return undefined;
    };
  }
  if (isListType(type)) return completeList(compileType(type.ofType, selections, source, place));
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => (names.has(value as string) ? value : null);
  }
  if (isLeafType(type)) return (value) => value ?? null;
  if (isObjectType(type)) {
    const fields = compileFields(type, selections, source);
    return (value, violations) => (isTree(value) ? completeFields(value, fields, violations) : null);
  }
  return completeAbstract(isInterfaceType(type) ? type : null, selections, source);
}

function completeList(complete: Complete): Complete {
  return (value, violations) => {
    if (!Array.isArray(value)) return null;
    const items = new Array<unknown>(value.length);
    for (let index = 0; index < value.length; index++) {
      const item = complete(value[index], violations);
      if (item === undefined) return null;
      items[index] = item;
    }
    return items;
  };
}

/** Fields differ by the type an object turns out to be; each type's are compiled when it is first met. */
function completeAbstract(
  declared: GraphQLInterfaceType | null,
  selections: readonly SelectionSetNode[],
  source: ProjectionSource,
): Complete {
  const fieldsOf = new Map<unknown, Field[] | null>();
  return (value, violations) => {
    if (!isTree(value)) return null;
    const name = value.__typename ?? declared?.name;
    let fields = fieldsOf.get(name);
    if (fields === undefined) {
      const type = typeof name === 'string' ? source.schema.getType(name) : undefined;
      const isShown = isObjectType(type) || isInterfaceType(type);
      fields = isShown ? compileFields(type, selections, source) : null;
      fieldsOf.set(name, fields);
    }
    return fields && completeFields(value, fields, violations);
  };
}
