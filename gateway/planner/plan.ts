/** A query plan, compiled: fetches with their documents parsed, paths and representations ready to run. */
import type {
  BatchFetchNode,
  EntityBatchAlias,
  FetchNode,
  FlattenNode,
  PlanNode,
  QueryPlan,
} from '@graphql-hive/router-query-planner';
import { type DocumentNode, type ExecutionResult, GraphQLError, type GraphQLSchema, parse } from 'graphql';
import {
  compilePath,
  compileRepresentation,
  type EntityPath,
  findEntities,
  type Path,
  type Representation,
} from './entities.ts';
import { compileRewrites, type Rewrite } from './rewrites.ts';
import { copyTree, isTree, mergeInto, type Tree } from './tree.ts';

/** One operation, or one event of a subscription, while it is put together. */
export interface Run {
  data: Tree;
  errors: GraphQLError[];
  /** Coerced. */
  variables: Readonly<Record<string, unknown>>;
  fetch(fetch: Fetch, variables: Record<string, unknown>): Promise<ExecutionResult>;
}

/** What one subgraph is asked. */
export interface Fetch {
  service: string;
  document: DocumentNode;
  text: string;
  kind: 'query' | 'mutation' | 'subscription';
  operationName: string | undefined;
  /** The client's variables that it uses. */
  variables: readonly string[];
  /** Whether another fetch of the plan asks the same in the same words, and may turn out to ask it of the same entities. */
  repeats: boolean;
}

type Step = (run: Run) => Promise<unknown> | undefined;

interface Compiler {
  /** Every type that subgraphs name, hidden ones too. */
  schema: GraphQLSchema;
  /** Entity fetches so far, by subgraph and text. */
  seen: Map<string, Fetch>;
}

export interface CompiledPlan {
  /** What is subscribed to; the steps then complete each event. */
  subscription: Fetch | null;
  run: Step;
}

/** @param schema with every type that subgraphs name, hidden ones too */
export function compilePlan({ node }: QueryPlan, schema: GraphQLSchema): CompiledPlan {
  const compiler: Compiler = { schema, seen: new Map() };
  if (!node) return { subscription: null, run: () => undefined };
  if (node.kind === 'Subscription') return { subscription: compileFetch(node.primary), run: () => undefined };
  if (node.kind === 'Sequence' && node.nodes[0]?.kind === 'Subscription') {
    const [{ primary }, ...nodes] = node.nodes as [{ kind: 'Subscription'; primary: FetchNode }, ...PlanNode[]];
    return { subscription: compileFetch(primary), run: compileStep({ kind: 'Sequence', nodes }, compiler) };
  }
  return { subscription: null, run: compileStep(node, compiler) };
}

function compileStep(node: PlanNode, compiler: Compiler): Step {
  switch (node.kind) {
    case 'Sequence': {
      const steps = node.nodes.map((child) => compileStep(child, compiler));
      return async (run) => {
        for (const step of steps) await step(run);
      };
    }
    case 'Parallel': {
      const steps = node.nodes.map((child) => compileStep(child, compiler));
      return (run) => Promise.all(steps.map((step) => step(run)));
    }
    case 'Condition': {
      const { condition, ifClause, elseClause } = node;
      const included = ifClause ? compileStep(ifClause, compiler) : undefined;
      const skipped = elseClause ? compileStep(elseClause, compiler) : undefined;
      return (run) => (run.variables[condition] === true ? included : skipped)?.(run);
    }
    case 'Fetch':
      return compileRootFetch(node, compiler);
    case 'Flatten':
      return compileEntityFetch(node, compiler);
    case 'BatchFetch':
      return compileBatchFetch(node, compiler);
    default:
      throw new Error(`The planner gave a node that is not run here: ${node.kind}`);
  }
}

function compileFetch(node: FetchNode | BatchFetchNode): Fetch {
  return {
    service: node.serviceName,
    document: parse(node.operation, { noLocation: true }),
    text: node.operation,
    kind: node.operationKind ?? 'query',
    operationName: node.operationName ?? undefined,
    variables: node.variableUsages ?? [],
    repeats: false,
  };
}

function markRepeat(fetch: Fetch, seen: Map<string, Fetch>): void {
  const key = `${fetch.service} ${fetch.text}`;
  const twin = seen.get(key);
  if (twin) twin.repeats = fetch.repeats = true;
  else seen.set(key, fetch);
}

function variablesOf({ variables }: Fetch, run: Run): Record<string, unknown> {
  const used: Record<string, unknown> = {};
  for (const name of variables) if (name in run.variables) used[name] = run.variables[name];
  return used;
}

function compileRootFetch(node: FetchNode, { schema }: Compiler): Step {
  const fetch = compileFetch(node);
  const rewrite = compileRewrites(node.outputRewrites, schema);
  const at = firstResponseKey(fetch.document);
  return async (run) => {
    const result = await run.fetch(fetch, variablesOf(fetch, run));
    for (const error of result.errors ?? []) run.errors.push(relocate(error, error.path ?? at));
    const data = rewrite ? rewrite(result.data) : result.data;
    if (isTree(data)) mergeInto(run.data, data);
  };
}

function firstResponseKey({ definitions }: DocumentNode): string[] {
  const operation = definitions.find((definition) => definition.kind === 'OperationDefinition');
  const field = operation?.selectionSet.selections.find((selection) => selection.kind === 'Field');
  return field ? [field.alias?.value ?? field.name.value] : [];
}

function relocate(error: GraphQLError, path: Path): GraphQLError {
  const { message, originalError, extensions } = error;
  return new GraphQLError(message, { path, originalError: originalError ?? null, extensions });
}

/** The entities at the end of one path, and for each the number of its representation, -1 for none. */
interface Target {
  path: EntityPath;
  entities: Tree[];
  numbers: number[];
}

/** Finds the entities and adds their representations, each once. */
function gather(
  run: Run,
  paths: readonly EntityPath[],
  represent: Representation,
  into: Tree[],
  known: Map<string, number>,
): Target[] {
  return paths.map((path) => {
    const entities = findEntities(run.data, path);
    const numbers = entities.map((entity) => {
      const representation = represent(entity);
      if (!representation) return -1;
      const identity = JSON.stringify(representation);
      const number = known.get(identity) ?? into.push(representation) - 1;
      known.set(identity, number);
      return number;
    });
    return { path, entities, numbers };
  });
}

/** Adds what the subgraph said to every place that has the entity. */
function distribute(answers: readonly unknown[], targets: readonly Target[]): void {
  targets.forEach(({ entities, numbers }, index) => {
    // Places of one path are completed alike, so they may share what they hold; other paths may go on differently.
    const answersHere = index === 0 ? answers : copyTree(answers);
    for (let at = 0; at < entities.length; at++) {
      const answer = answersHere[numbers[at] as number];
      if (isTree(answer)) mergeInto(entities[at] as Tree, answer);
    }
  });
}

/** Errors of an entity, at every place that has it; errors of the whole fetch, at the path without list positions. */
function placeErrors(run: Run, errors: readonly GraphQLError[], alias: string, targets: readonly Target[]): void {
  for (const error of errors) {
    const at = error.path?.indexOf(alias) ?? -1;
    const number = error.path?.[at + 1];
    const places = at === -1 || typeof number !== 'number' ? [] : placesOf(run, number, targets);
    const rest = error.path?.slice(at + 2) ?? [];
    for (const place of places) run.errors.push(relocate(error, [...place, ...rest]));
    if (places.length === 0) run.errors.push(relocate(error, targets[0]?.path.fields ?? []));
  }
}

function placesOf(run: Run, number: number, targets: readonly Target[]): Path[] {
  return targets.flatMap(({ path, numbers }) => {
    const paths: Path[] = [];
    findEntities(run.data, path, paths);
    return paths.filter((_, index) => numbers[index] === number);
  });
}

function compileEntityFetch({ path, node }: FlattenNode, { schema, seen }: Compiler): Step {
  if (node.kind !== 'Fetch' || !node.requires?.length) throw new Error('A plan flattens what is no entity fetch');
  const fetch = compileFetch(node);
  markRepeat(fetch, seen);
  const paths = [compilePath(path, schema)];
  const represent = withRewrite(
    compileRepresentation(node.requires, schema),
    compileRewrites(node.inputRewrites, schema),
  );
  const rewrite = compileRewrites(node.outputRewrites, schema);
  return (run) => {
    const representations: Tree[] = [];
    const targets = gather(run, paths, represent, representations, new Map());
    if (representations.length === 0) return;
    return run.fetch(fetch, { ...variablesOf(fetch, run), representations }).then((result) => {
      if (result.errors) placeErrors(run, result.errors, '_entities', targets);
      const data = rewrite ? (rewrite(result.data) as Tree | null) : result.data;
      if (Array.isArray(data?._entities)) distribute(data._entities, targets);
    });
  };
}

function compileBatchFetch(node: BatchFetchNode, { schema }: Compiler): Step {
  const fetch = compileFetch(node);
  const parts = node.entityBatch.aliases.map((alias) => compileAlias(alias, schema));
  return (run) => {
    const variables = variablesOf(fetch, run);
    const lists = new Map<string, { representations: Tree[]; known: Map<string, number> }>();
    const gathered = parts.map(({ variable, paths, represent }) => {
      const list = lists.get(variable) ?? { representations: [], known: new Map() };
      lists.set(variable, list);
      variables[variable] = list.representations;
      return gather(run, paths, represent, list.representations, list.known);
    });
    if (Array.from(lists.values()).every(({ representations }) => representations.length === 0)) return;
    return run.fetch(fetch, variables).then((result) => {
      for (const error of result.errors ?? []) {
        const index = Math.max(
          0,
          parts.findIndex(({ alias }) => alias === error.path?.[0]),
        );
        placeErrors(run, [error], parts[index]?.alias ?? '', gathered[index] ?? []);
      }
      parts.forEach(({ alias, rewrite }, index) => {
        const answers = rewrite ? rewrite(result.data?.[alias]) : result.data?.[alias];
        if (Array.isArray(answers)) distribute(answers, gathered[index] ?? []);
      });
    });
  };
}

function compileAlias(part: EntityBatchAlias, schema: GraphQLSchema) {
  const represent = compileRepresentation(part.requires, schema);
  return {
    alias: part.alias,
    variable: part.representationsVariableName,
    paths: part.paths.map((path) => compilePath(path, schema)),
    represent: withRewrite(represent, compileRewrites(part.inputRewrites, schema)),
    rewrite: compileRewrites(part.outputRewrites, schema),
  };
}

function withRewrite(represent: Representation, rewrite: Rewrite | null): Representation {
  if (!rewrite) return represent;
  return (entity) => {
    const representation = represent(entity);
    return representation && (rewrite(representation) as Tree);
  };
}
