/**
 * What a subgraph is asked so that a subscription can be shared and resumed: beside what the client wants, the kind and
 * the cursor of each change under names of the gateway's own, and everything after a cursor that the gateway gives.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type GraphQLSchema,
  GraphQLString,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  TypeInfo,
  type VariableDefinitionNode,
  valueFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { type Cursor, parseCursor } from '../../platform/feed/cursor.ts';
import type { Fetch } from '../planner/plan.ts';
import { isTree } from '../planner/tree.ts';

type Variables = Readonly<Record<string, unknown>>;

/** What an event says of itself. */
export interface Mark {
  kind: string;
  /** Where a client is once it has the event. */
  cursor: string;
  /** The cursor's place among those of other streams; null for one that is told to this stream alone. */
  place: Cursor | null;
}

export interface LiveFetch {
  fetch: Fetch;
  /** The client's document but for where it begins: operations with equal texts ask for the same changes. */
  text: string;
  /** The client's variables that decide about events. */
  variables: readonly string[];
  /** The variable of `fetch` that takes the cursor. */
  afterVariable: string;
  /** The cursor after which the client wants to begin. */
  afterOf(variables: Variables): string | undefined;
  /** Undefined for an event that holds no change, only errors. */
  markOf(event: ExecutionResult): Mark | undefined;
}

/** Null for a subscription that is none to changes: its root field is no `Change`, or does not take `after`. */
export function compileLiveFetch(document: DocumentNode, fetch: Fetch, schema: GraphQLSchema): LiveFetch | null {
  const operation = fetch.document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const root = rootOf(operation as OperationDefinitionNode);
  if (!root || !isResumable(root.name.value, schema)) return null;
  const after = root.arguments?.find(({ name }) => name.value === 'after')?.value;
  const client = withoutAfter(document, schema);
  const own = ownNames(fetch.text);
  const edited = edit(fetch.document, root, own);
  const key = root.alias?.value ?? root.name.value;
  return {
    fetch: { ...fetch, document: edited, text: print(edited), variables: variablesUsed(edited, own.after) },
    text: print(client),
    variables: variablesUsed(client),
    afterVariable: own.after,
    afterOf: (variables) =>
      (after ? (valueFromAST(after, GraphQLString, variables) ?? undefined) : undefined) as string,
    markOf: ({ data }) => readMark(data?.[key], own),
  };
}

/** The only field, if it is one that no directive may leave out. */
function rootOf({ selectionSet }: OperationDefinitionNode): FieldNode | null {
  const [root, ...others] = selectionSet.selections;
  if (root?.kind !== Kind.FIELD || others.length > 0 || root.directives?.length || !root.selectionSet) return null;
  return root;
}

function isResumable(name: string, schema: GraphQLSchema): boolean {
  const field = schema.getSubscriptionType()?.getFields()[name];
  const change = schema.getType('Change');
  if (!field || !isInterfaceType(change) || !field.args.some((argument) => argument.name === 'after')) return false;
  const type = getNamedType(field.type);
  return type === change || ((isObjectType(type) || isInterfaceType(type)) && schema.isSubType(change, type));
}

interface OwnNames {
  after: string;
  kind: string;
  cursor: string;
}

/** Names that the client does not use. */
function ownNames(text: string): OwnNames {
  let prefix = '_live';
  while (text.includes(prefix)) prefix += '_';
  return { after: `${prefix}After`, kind: `${prefix}Kind`, cursor: `${prefix}Cursor` };
}

function edit(document: DocumentNode, root: FieldNode, own: OwnNames): DocumentNode {
  const marked = visit(document, {
    Field: (node) => (node === root ? mark(node, own) : undefined),
  });
  const used = new Set(variablesUsed(marked));
  const definition: VariableDefinitionNode = {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: own.after } },
    type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'String' } },
  };
  return visit(marked, {
    OperationDefinition(node) {
      const definitions = (node.variableDefinitions ?? []).filter(({ variable }) => used.has(variable.name.value));
      return { ...node, variableDefinitions: [...definitions, definition] };
    },
  });
}

function mark(root: FieldNode, own: OwnNames): FieldNode {
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const field = (alias: string, of: string) => ({ kind: Kind.FIELD, alias: name(alias), name: name(of) }) as const;
  const value = { kind: Kind.VARIABLE, name: name(own.after) } as const;
  return {
    ...root,
    arguments: [...otherArguments(root), { kind: Kind.ARGUMENT, name: name('after'), value }],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [...(root.selectionSet?.selections ?? []), field(own.kind, 'kind'), field(own.cursor, 'cursor')],
    },
  };
}

function otherArguments(root: FieldNode) {
  return (root.arguments ?? []).filter(({ name }) => name.value !== 'after');
}

/** The client's document without where it begins. */
function withoutAfter(document: DocumentNode, schema: GraphQLSchema): DocumentNode {
  const types = new TypeInfo(schema);
  const isRoot = () => types.getParentType() === schema.getSubscriptionType();
  const visitor = { Field: (node: FieldNode) => (isRoot() ? { ...node, arguments: otherArguments(node) } : undefined) };
  return visit(document, visitWithTypeInfo(types, visitor));
}

function variablesUsed(document: DocumentNode, except?: string): string[] {
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  if (except !== undefined) used.delete(except);
  return [...used];
}

function readMark(change: unknown, own: OwnNames): Mark | undefined {
  if (!isTree(change)) return undefined;
  const { [own.kind]: kind, [own.cursor]: cursor } = change;
  if (typeof kind !== 'string' || typeof cursor !== 'string') return undefined;
  const place = parseCursor(cursor);
  return { kind, cursor, place: place?.mask === undefined ? place : null };
}
