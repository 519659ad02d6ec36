/** Answers operations by plan: planned once a document by Hive's query planner, then run against the subgraphs. */
import type { QueryPlanner } from '@graphql-hive/router-query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  print,
} from 'graphql';
import { brief } from '../../platform/errors.ts';
import { isStream, mapStream } from '../../platform/streams.ts';
import { callerFault } from '../errors.ts';
import { gathering } from '../live/gathering.ts';
import type { Live } from '../live/live.ts';
import { compileLiveFetch } from '../live/live-fetch.ts';
import type { RequestScope } from '../scope.ts';
import type { SubgraphExecutor } from '../transport/subgraph-call.ts';
import { type Introspection, introspectionOf, withoutIntrospection } from './introspection.ts';
import { type CompiledPlan, compilePlan, type Fetch, type Run } from './plan.ts';
import { type LivePlan, PlannedSource } from './planned-source.ts';
import { compileProjection, type Projection } from './projection.ts';
import { copyTree, type Tree } from './tree.ts';

export interface PlannerOptions {
  queryPlanner: Pick<QueryPlanner, 'planAsync'>;
  /** What clients see. */
  schema: GraphQLSchema;
  /** Every type of every subgraph. */
  supergraph: GraphQLSchema;
  executors: ReadonlyMap<string, SubgraphExecutor>;
  /** Shares the subscriptions to changes. */
  live: Live;
  /** The result as clients may see it, for one that many of them are sent. */
  present(result: ExecutionResult, scope: RequestScope): ExecutionResult;
}

export interface PlannedRequest {
  document: DocumentNode;
  variables: Record<string, unknown> | undefined;
  operationName: string | undefined;
  scope: RequestScope;
}

export type PlanExecutor = (request: PlannedRequest) => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

interface Prepared {
  operation: OperationDefinitionNode;
  introspection: Introspection;
  plan: CompiledPlan;
  /** Null for what is no subscription to changes. */
  live: LivePlan | null;
  projection(variables: Readonly<Record<string, unknown>>): Projection;
}

/** Whoever sends everything wrong is told so much of it. */
const MAX_VARIABLE_ERRORS = 20;

export function createPlanExecutor(options: PlannerOptions): PlanExecutor {
  const { schema } = options;
  const executors = new Map(Array.from(options.executors, ([name, executor]) => [name, gathering(executor)]));
  const forLive = { ...options, executors };
  const prepared = new WeakMap<DocumentNode, Map<string | undefined, Prepared>>();

  async function prepare(document: DocumentNode, operation: OperationDefinitionNode): Promise<Prepared> {
    const ready = await prepareOperation(document, operation, options, forLive);
    const byName = prepared.get(document) ?? new Map<string | undefined, Prepared>();
    prepared.set(document, byName.set(operation.name?.value, ready));
    return ready;
  }

  return async (request) => {
    const { document, operationName } = request;
    const operation = getOperationAST(document, operationName);
    if (!operation) return { errors: [unclearOperation(operationName)] };
    if (!schema.getRootType(operation.operation)) return { errors: [unknownKind(operation)] };
    const raw = request.variables ?? {};
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], raw, {
      maxErrors: MAX_VARIABLE_ERRORS,
    });
    if (!coerced) return { errors: errors.map(badVariable) };

    const ready = prepared.get(document)?.get(operation.name?.value) ?? (await prepare(document, operation));
    if (ready.live) return options.live.subscribe(new PlannedSource(ready.live, coerced, request.scope));
    if (ready.plan.subscription) return subscribe(ready.plan.subscription, ready, request, coerced, options);
    const run = startRun({}, [], request, coerced, options);
    await ready.plan.run(run);
    if (ready.introspection === 'none') return finish(run, ready);
    return introspect(run, request, options);
  };
}

async function prepareOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  options: PlannerOptions,
  forLive: PlannerOptions,
): Promise<Prepared> {
  const { queryPlanner, schema, supergraph } = options;
  const fragments = fragmentsOf(document);
  const introspection = introspectionOf(operation, fragments);
  const name = operation.name?.value;
  const planned = introspection === 'mixed' ? withoutIntrospection(document) : document;
  const found = introspection === 'whole' ? {} : await queryPlanner.planAsync(print(planned), name, new Set(), 0);
  const plan = compilePlan({ kind: 'QueryPlan', ...found }, supergraph);
  const projection = projections(operation, fragments, schema);
  const prepared: Prepared = { operation, introspection, plan, live: null, projection };
  prepared.live = plan.subscription && livePlan(document, plan.subscription, prepared, options, forLive);
  return prepared;
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]));
}

function startRun(
  data: Tree,
  errors: GraphQLError[],
  { scope }: Pick<PlannedRequest, 'scope'>,
  variables: Readonly<Record<string, unknown>>,
  options: PlannerOptions,
): Run {
  const fetch: Run['fetch'] = (fetch, variables) => ask(fetch, variables, scope, options) as Promise<ExecutionResult>;
  return { data, errors, variables, fetch: sharing(fetch) };
}

/** Fetches under way that ask the same of the same entities are one; conditions keep the planner from joining them. */
function sharing(fetchOne: Run['fetch']): Run['fetch'] {
  const underWay = new Map<string, Promise<ExecutionResult>>();
  return (fetch, variables) => {
    if (!fetch.repeats) return fetchOne(fetch, variables);
    const key = JSON.stringify([fetch.service, fetch.text, variables]);
    const same = underWay.get(key);
    if (same) return same.then((result) => ({ ...result, data: copyTree(result.data) }) as ExecutionResult);
    const started = fetchOne(fetch, variables).finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
}

function ask(
  { service, document, text, kind, operationName }: Fetch,
  variables: Record<string, unknown>,
  scope: RequestScope,
  options: PlannerOptions,
) {
  return executorOf(service, options)({ document, text, kind, variables, operationName, scope });
}

function executorOf(service: string, { executors }: PlannerOptions): SubgraphExecutor {
  const executor = executors.get(service);
  if (!executor) throw new Error(`A plan names a subgraph that is not there: ${service}`);
  return executor;
}

async function subscribe(
  fetch: Fetch,
  ready: Prepared,
  request: PlannedRequest,
  variables: Record<string, unknown>,
  options: PlannerOptions,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  const used = Object.fromEntries(
    fetch.variables.flatMap((name) => (name in variables ? [[name, variables[name]]] : [])),
  );
  const source = await ask(fetch, used, request.scope, options);
  if (!isStream<ExecutionResult>(source)) return source;
  return mapStream(source, async (event) => {
    if (!event.data) return { data: null, errors: event.errors ?? [] };
    return complete(event, ready, request, variables, options);
  });
}

/** One event of a subscription, with what other domains know of it. */
async function complete(
  { data, errors = [] }: ExecutionResult,
  ready: Prepared,
  request: Pick<PlannedRequest, 'scope'>,
  variables: Readonly<Record<string, unknown>>,
  options: PlannerOptions,
): Promise<ExecutionResult> {
  const run = startRun(data as Tree, [...errors], request, variables, options);
  await ready.plan.run(run);
  return finish(run, ready);
}

/** @param forLive how events are completed */
function livePlan(
  document: DocumentNode,
  fetch: Fetch,
  ready: Prepared,
  options: PlannerOptions,
  forLive: PlannerOptions,
): LivePlan | null {
  const live = compileLiveFetch(document, fetch, options.schema);
  if (!live) return null;
  return {
    ...live,
    ask: (call) => executorOf(fetch.service, options)(call),
    complete(event, isEmpty, variables, scope) {
      if (!isEmpty) return complete(event, ready, { scope }, variables, forLive);
      return finish(startRun(event.data as Tree, [...(event.errors ?? [])], { scope }, variables, options), ready);
    },
    present: options.present,
  };
}

function finish(run: Run, { projection }: Prepared): ExecutionResult {
  const violations: string[] = [];
  const data = projection(run.variables)(run.data, violations);
  if (violations.length > 0 && run.errors.length === 0) {
    run.errors.push(new GraphQLError(`Cannot return null for non-nullable field ${violations[0]}.`));
  }
  return run.errors.length > 0 ? { errors: run.errors, data } : { data };
}

/** An operation that asks for the graph's description too: rare, so it may take graphql-js's slower way. */
async function introspect(run: Run, request: PlannedRequest, { schema }: PlannerOptions): Promise<ExecutionResult> {
  const { document, variables = {}, operationName = null } = request;
  const result = await execute({
    schema,
    document,
    rootValue: run.data,
    variableValues: variables,
    operationName,
    fieldResolver: (source: Tree, _args, _context, { path }) => source[path.key],
  });
  const errors = [...run.errors, ...(result.errors ?? [])];
  return errors.length > 0 ? { ...result, errors } : result;
}

/** Shapes kept for an operation whose @skip and @include are decided by variables. */
const MAX_PROJECTIONS = 32;

/** The shape of the answer depends on the variables that @skip and @include name, and on nothing else. */
function projections(
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  schema: GraphQLSchema,
): Prepared['projection'] {
  const names = booleanVariables(operation);
  const known = new Map<string, Projection>();
  return (variables) => {
    const key = names.length === 0 ? '' : names.map((name) => (variables[name] === true ? 1 : 0)).join('');
    let projection = known.get(key);
    if (!projection) {
      projection = compileProjection({ schema, operation, fragments, variables });
      if (known.size < MAX_PROJECTIONS) known.set(key, projection);
    }
    return projection;
  };
}

/** @skip and @include take a Boolean, so only variables of that type can decide. */
function booleanVariables({ variableDefinitions = [] }: OperationDefinitionNode): string[] {
  return variableDefinitions.flatMap(({ variable, type }) => {
    const named = type.kind === Kind.NON_NULL_TYPE ? type.type : type;
    return named.kind === Kind.NAMED_TYPE && named.name.value === 'Boolean' ? [variable.name.value] : [];
  });
}

function unclearOperation(operationName: string | undefined): GraphQLError {
  const message =
    operationName === undefined
      ? 'The document has several operations, or none: name one in "operationName".'
      : `The document has no operation named "${operationName}".`;
  return callerFault(message, 'OPERATION_RESOLUTION_FAILURE');
}

function unknownKind({ operation }: OperationDefinitionNode): GraphQLError {
  return callerFault(`This graph has no ${operation}s.`, 'GRAPHQL_VALIDATION_FAILED');
}

function badVariable({ message, nodes }: GraphQLError): GraphQLError {
  return new GraphQLError(brief(message), {
    nodes: nodes ?? null,
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
