/** The graph as a run asks it: every request goes on with the run's trace. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../../../platform/errors.ts';
import type { GraphClient } from '../../../platform/graph-client.ts';

/** A command of another domain was refused. */
export class Refused extends Error {
  readonly code: string;

  constructor(operation: string, code: string, message: string) {
    super(`${operation}: ${message}`);
    this.code = code;
  }
}

/** A request that takes longer is given up: a domain that is disturbed may answer late. */
const REQUEST_TIMEOUT_MS = 10_000; // 10 seconds

// biome-ignore lint/suspicious/noExplicitAny: each request has a shape of its own, read at one place below
type Data = any;

export class Desk {
  readonly traceId: string;
  private readonly graph: GraphClient;

  constructor(graph: GraphClient, traceId: string) {
    this.graph = graph;
    this.traceId = traceId;
  }

  /** The data of a query. Throws when a domain does not answer. */
  async ask(document: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const request = this.graph.request<Data>(document, variables, { traceId: this.traceId });
    const timer = new AbortController();
    const late = sleep(REQUEST_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([request, late]);
    } finally {
      timer.abort();
    }
  }

  /** The payload of a command. @throws Refused */
  async send(operation: string, input: object, selection = '', type = inputOf(operation)): Promise<Data> {
    const document = `mutation ($input: ${type}!) { ${operation}(input: $input) { ${selection} errors { code message } } }`;
    const payload = (await this.ask(document, { input }))[operation];
    const [first] = payload.errors as { code: string; message: string }[];
    if (first) throw new Refused(operation, first.code, first.message);
    return payload;
  }
}

/** "placeOrder" → "PlaceOrderInput". */
function inputOf(operation: string): string {
  return `${operation.slice(0, 1).toUpperCase()}${operation.slice(1)}Input`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a domain did not answer: it may a moment later. */
export function isAway(error: unknown): boolean {
  if (error instanceof Refused) return error.code === 'DOMAIN_UNAVAILABLE';
  return error instanceof Refusal && error.userError.code === 'DOMAIN_UNAVAILABLE';
}

const RETRY_MS = 150;

/** Does the work again and again while a domain does not answer, or what it waits for is not there. */
export async function persist<Result>(
  work: () => Promise<Result | null>,
  { withinMs, signal }: { withinMs: number; signal?: AbortSignal | undefined },
): Promise<Result> {
  const until = Date.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    let problem = 'what was waited for did not come';
    try {
      const result = await work();
      if (result !== null) return result;
    } catch (error) {
      if (!isAway(error)) throw error;
      problem = messageOf(error);
    }
    if (Date.now() >= until) throw new Error(`${problem} (waited ${withinMs} ms)`);
    await sleep(RETRY_MS);
  }
}
