/** Commands of the graph, by their names; one that is refused is an error that says why. */
import { Refusal } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';

/** The graph's answer to a command that it did not carry out. */
export class Refused extends Error {
  readonly code: string;

  constructor(command: string, { code, message }: { code: string; message: string }) {
    super(`${command} was refused: ${message}`);
    this.code = code;
  }
}

interface Payload {
  errors: { code: string; message: string }[];
}

/**
 * Sends a command and gives the fields of its payload that were asked for.
 * @param fields selection beside `errors`
 * @throws Refused when it was not carried out
 */
export async function command<Fields = object>(
  graph: GraphClient,
  name: string,
  input: object,
  fields = '',
): Promise<Fields> {
  const inputType = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation Simulate($input: ${inputType}!) { ${name}(input: $input) { ${fields} errors { code message } } }`;
  const data = await graph.request<Record<string, Fields & Payload>>(document, { input });
  const payload = data[name];
  if (!payload) throw new Error(`${name} gave no payload`);
  const [error] = payload.errors;
  if (error) throw new Refused(name, error);
  return payload;
}

/** Whether the graph said no to this very command, and would again: not that a domain is away. */
export function isRefusal(error: unknown): error is Refused {
  return error instanceof Refused && error.code !== 'DOMAIN_UNAVAILABLE';
}

/** What a failure is about, in few words that stay the same from one attempt to the next. */
export function codeOf(error: unknown): string {
  if (error instanceof Refusal) return error.userError.code;
  return error instanceof Refused ? error.code : 'FAILED';
}

/** What a failure says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
