/** Where a plan finds entities in the answer so far, and what it tells another subgraph of each. */
import type { FlattenNodePathSegment, RequiresSelection } from '@graphql-hive/router-query-planner';
import { type GraphQLSchema, isAbstractType, isObjectType } from 'graphql';
import { mergeInto, type Tree } from './tree.ts';

type Segment = { field: string } | 'list' | { types: ReadonlySet<string> };

/** A way from the root of the answer to entities. */
export interface EntityPath {
  segments: readonly Segment[];
  /** The way without list positions, for an error about all of them. */
  fields: string[];
}

export type Path = readonly (string | number)[];

export function compilePath(path: readonly FlattenNodePathSegment[], schema: GraphQLSchema): EntityPath {
  const segments = path.map((segment): Segment => {
    if (segment === '@') return 'list';
    return 'Field' in segment ? { field: segment.Field } : { types: typesOf(segment.TypeCondition, schema) };
  });
  return {
    segments,
    fields: segments.flatMap((segment) => (typeof segment === 'object' && 'field' in segment ? [segment.field] : [])),
  };
}

/** The named types and every type that is one of them. */
export function typesOf(names: readonly string[], schema: GraphQLSchema): ReadonlySet<string> {
  const types = new Set(names);
  for (const name of names) {
    const type = schema.getType(name);
    if (isAbstractType(type)) for (const { name } of schema.getPossibleTypes(type)) types.add(name);
    else if (!isObjectType(type)) types.delete(name);
  }
  return types;
}

/** The entities at the end of the path. With `paths`, also where each of them is. */
export function findEntities(root: unknown, { segments }: EntityPath, paths?: Path[]): Tree[] {
  const found: Tree[] = [];
  walk(root, segments, 0, [], found, paths);
  return found;
}

function walk(
  value: unknown,
  segments: readonly Segment[],
  depth: number,
  at: (string | number)[],
  found: Tree[],
  paths: Path[] | undefined,
): void {
  if (typeof value !== 'object' || value === null) return;
  const segment = segments[depth];
  if (Array.isArray(value)) {
    const next = segment === 'list' ? depth + 1 : depth;
    for (let index = 0; index < value.length; index++) {
      at.push(index);
      walk(value[index], segments, next, at, found, paths);
      at.pop();
    }
    return;
  }
  const tree = value as Tree;
  if (segment === undefined) {
    found.push(tree);
    paths?.push([...at]);
  } else if (segment === 'list') {
    return;
  } else if ('field' in segment) {
    at.push(segment.field);
    walk(tree[segment.field], segments, depth + 1, at, found, paths);
    at.pop();
  } else if (typeof tree.__typename !== 'string' || segment.types.has(tree.__typename)) {
    walk(tree, segments, depth + 1, at, found, paths);
  }
}

/** What to tell a subgraph of an entity; null when the entity is not of a type that it extends, or lacks its key. */
export type Representation = (entity: Tree) => Tree | null;

export function compileRepresentation(requires: readonly RequiresSelection[], schema: GraphQLSchema): Representation {
  const take = compileSelections(requires, schema);
  return (entity) => {
    if (typeof entity.__typename !== 'string') return null;
    const representation = take(entity) as Tree | null;
    if (representation) representation.__typename ??= entity.__typename;
    return representation;
  };
}

type Take = (value: unknown) => unknown;

function compileSelections(selections: readonly RequiresSelection[], schema: GraphQLSchema): Take {
  const parts = selections.map((selection) => compileSelection(selection, schema));
  return function take(value): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(take);
    const taken: Tree = {};
    for (const part of parts) part(value as Tree, taken);
    return saysSomething(taken) ? taken : null;
  };
}

function compileSelection(selection: RequiresSelection, schema: GraphQLSchema): (from: Tree, to: Tree) => void {
  if (selection.kind === 'Field') {
    const { name, alias = name, selections } = selection;
    const take = selections && compileSelections(selections, schema);
    return (from, to) => {
      const value = from[name] === undefined ? from[alias] : from[name];
      const taken = take ? take(value) : value;
      if (taken !== undefined && taken !== null) to[alias] = taken;
    };
  }
  if (selection.kind === 'FragmentSpread') throw new Error(`A plan requires the fragment ${selection.value}`);
  const types = typesOf([selection.typeCondition], schema);
  const take = compileSelections(selection.selections, schema);
  return (from, to) => {
    if (!types.has(String(from.__typename))) return;
    const taken = take(from) as Tree | null;
    if (taken) mergeInto(to, taken);
  };
}

/** A type's name alone identifies nothing. */
function saysSomething(taken: Tree): boolean {
  for (const key in taken) if (key !== '__typename') return true;
  return false;
}
