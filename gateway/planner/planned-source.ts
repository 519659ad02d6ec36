import type { ExecutionResult } from 'graphql';
import type { LiveFetch, Mark } from '../live/live-fetch.ts';
import type { LiveSource } from '../live/source.ts';
import type { RequestScope } from '../scope.ts';
import type { SubgraphAnswer, SubgraphCall } from '../transport/subgraph-call.ts';

type Variables = Readonly<Record<string, unknown>>;

/** What all subscriptions with one plan have in common. */
export interface LivePlan extends LiveFetch {
  ask(call: SubgraphCall): Promise<SubgraphAnswer>;
  /** Completes an event by other domains, or at once if it is known to hold nothing of theirs. */
  complete(
    event: ExecutionResult,
    isEmpty: boolean,
    variables: Variables,
    scope: RequestScope,
  ): ExecutionResult | Promise<ExecutionResult>;
  /** The result as clients may see it. */
  present(result: ExecutionResult, scope: RequestScope): ExecutionResult;
}

/** Kinds whose events hold no item. */
const EMPTY: ReadonlySet<string | undefined> = new Set(['PROGRESS', 'RESYNC']);

/** Kinds after which a stream cannot be opened again: there is no going on from the midst of a snapshot. */
const SNAPSHOT: ReadonlySet<string | undefined> = new Set(['SNAPSHOT', 'RESYNC', undefined]);

/** A subscription to changes by its plan. */
export class PlannedSource implements LiveSource {
  readonly key: string;
  readonly after: string | undefined;
  readonly #plan: LivePlan;
  /** Coerced. */
  readonly #variables: Variables;
  readonly #scope: RequestScope;

  constructor(plan: LivePlan, variables: Variables, { requestId, traceId, headers }: RequestScope) {
    this.#plan = plan;
    this.#variables = variables;
    this.#scope = { requestId, traceId, headers, degraded: [] }; // without the client's signal: what is shared outlives a client
    this.after = plan.afterOf(variables);
    this.key = JSON.stringify([plan.text, pick(variables, plan.variables), headers.authorization]);
  }

  get domain(): string {
    return this.#plan.fetch.service;
  }

  open(after: string | undefined): Promise<SubgraphAnswer> {
    const { fetch, afterVariable, ask, markOf } = this.#plan;
    const { document, text, kind, operationName } = fetch;
    const variables = pick(this.#variables, fetch.variables);
    if (after !== undefined) variables[afterVariable] = after;
    const mayBeCut = (event: ExecutionResult) => !SNAPSHOT.has(markOf(event)?.kind);
    return ask({ document, text, kind, operationName, variables, mayBeCut, scope: this.#scope });
  }

  markOf(event: ExecutionResult): Mark | undefined {
    return this.#plan.markOf(event);
  }

  complete(event: ExecutionResult, mark: Mark | undefined): ExecutionResult | Promise<ExecutionResult> {
    return this.#plan.complete(event, EMPTY.has(mark?.kind), this.#variables, this.#scope);
  }

  present(result: ExecutionResult): ExecutionResult {
    return this.#plan.present(result, this.#scope);
  }
}

function pick(from: Variables, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (name in from) picked[name] = from[name];
  return picked;
}
