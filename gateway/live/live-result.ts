import type { ExecutionResult, GraphQLError } from 'graphql';

/** A result that many clients are sent: whoever sends it first makes its text. They share it, so nobody changes it. */
export class LiveResult implements ExecutionResult {
  readonly data: NonNullable<ExecutionResult['data']> | null;
  declare readonly errors?: readonly GraphQLError[];
  readonly #text: string;

  constructor({ data = null, errors }: ExecutionResult) {
    this.data = data;
    if (errors) this.errors = errors;
    this.#text = JSON.stringify(this);
  }

  /** As JSON. */
  get text(): string {
    return this.#text;
  }
}

/** The result as JSON, made once for a result that is shared. */
export function textOf(result: ExecutionResult): string {
  return result instanceof LiveResult ? result.text : JSON.stringify(result);
}
