/** Subgraphs that are processes of their own: queries and commands over HTTP, subscriptions over graphql-ws. */
import http from 'node:http';
import https from 'node:https';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { DomainUnavailable } from './domain-unavailable.ts';
import { EventQueue } from './event-queue.ts';
import type { SubgraphCall, SubgraphTransport } from './subgraph-call.ts';

export interface RemoteSubgraph {
  name: string;
  /** The federation SDL. */
  sdl: string;
  /** Where it answers, for example "http://127.0.0.1:4002/graphql". */
  url: string;
  /** Names of what it exports. @default none */
  exportKinds?: readonly string[];
  /** Where it serves subscriptions. @default the url, by WebSocket */
  subscriptionsUrl?: string;
}

export interface RemoteTransport {
  ask: SubgraphTransport;
  /** Whether the subgraph says that it can answer now. */
  isReady(): Promise<boolean>;
  /** Whether the subgraph says anything, and be it that it cannot answer everything now: it may still know a part. */
  isThere(): Promise<boolean>;
  close(): Promise<void>;
}

/** Sockets kept to one subgraph; further calls wait for one. */
const MAX_SOCKETS = 256;

/** A subgraph that answers with more is out of order. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** A subgraph whose socket is silent is asked so often whether it is there. */
const PING_INTERVAL_MS = 10_000; // 10 seconds

/** Time it has to answer. */
const PONG_TIMEOUT_MS = 5_000; // 5 seconds

/** Whoever asks whether a subgraph is ready waits no longer than this for it. */
const READY_TIMEOUT_MS = 2_000; // 2 seconds

export function remoteTransport(subgraph: RemoteSubgraph): RemoteTransport {
  const { name, url } = subgraph;
  const target = new URL(url);
  const isSecure = target.protocol === 'https:';
  const agent = new (isSecure ? https : http).Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const request = isSecure ? https.request : http.request;
  const options = { agent, method: 'POST', ...partsOf(target) };
  let sockets: Client | undefined;

  function post(body: string, call: SubgraphCall, signal: AbortSignal): Promise<ExecutionResult> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(new DomainUnavailable(name, { cause }));
      const headers = {
        ...call.scope.headers,
        accept: 'application/json',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const sent = request({ ...options, headers, signal }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) sent.destroy(new Error(`It answered more than ${MAX_ANSWER_BYTES} bytes`));
        });
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve(readAnswer(response.statusCode ?? 0, Buffer.concat(chunks, size)));
          } catch (error) {
            fail(error);
          }
        });
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A kept socket that the subgraph closed meanwhile says nothing about the subgraph; a query is asked again.
        const isStale = sent.reusedSocket && error.code === 'ECONNRESET' && call.kind === 'query';
        if (isStale && !signal.aborted) post(body, call, signal).then(resolve, reject);
        else fail(error);
      });
      sent.end(body);
    });
  }

  function subscribe(call: SubgraphCall): AsyncIterable<ExecutionResult> {
    sockets ??= connect(subgraph.subscriptionsUrl ?? url.replace(/^http/, 'ws'));
    const { text: query, variables, operationName, scope, mayBeCut } = call;
    const request = {
      query,
      extensions: { headers: scope.headers },
      ...(variables && { variables }),
      ...(operationName !== undefined && { operationName }),
    };
    const queue = new EventQueue<ExecutionResult>({ leave: () => leave(), mayBeCut });
    const leave = sockets.subscribe<Record<string, unknown>>(request, {
      next: (event) => queue.push(readResult(event)),
      error(error) {
        if (Array.isArray(error)) queue.push(readResult({ errors: error as GraphQLFormattedError[] }));
        queue.end(Array.isArray(error) ? undefined : new DomainUnavailable(name, { cause: error }));
      },
      complete: () => queue.end(),
    });
    return queue;
  }

  return {
    async ask(call, signal) {
      if (call.kind === 'subscription') return subscribe(call);
      const { text: query, variables, operationName } = call;
      return post(JSON.stringify({ query, variables, operationName }), call, signal);
    },
    isReady: async () => (await readiness(url))?.isReady === true,
    isThere: async () => {
      const said = await readiness(url);
      return said !== null && (said.isReady || said.domain === name); // a balancer without subgraphs answers 503 too
    },
    async close() {
      await sockets?.dispose();
      agent.destroy();
    },
  };
}

/** What the subgraph says at /ready; null where nobody does. */
async function readiness(url: string): Promise<{ isReady: boolean; domain?: unknown } | null> {
  try {
    const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    const { domain } = (await response.json()) as { domain?: unknown };
    return { isReady: response.ok, domain };
  } catch {
    return null;
  }
}

/** One socket with all subscriptions on it. A subgraph that does not answer on it within a time is taken for gone. */
function connect(url: string): Client {
  let socket: WebSocket | undefined;
  let silent: NodeJS.Timeout | undefined;
  let nextId = 0;
  return createClient({
    url,
    webSocketImpl: WebSocket,
    generateID: () => String(nextId++),
    retryAttempts: 0, // a subscription that breaks is opened again by whoever knows the last cursor
    connectionAckWaitTimeout: PONG_TIMEOUT_MS,
    keepAlive: PING_INTERVAL_MS,
    on: {
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      ping: (isReceived) => {
        if (isReceived) return;
        const asked = socket;
        silent = setTimeout(() => asked?.terminate(), PONG_TIMEOUT_MS);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(silent);
      },
      closed: () => clearTimeout(silent),
    },
  });
}

function partsOf(url: URL): { hostname: string; port: string; path: string } {
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path: url.pathname + url.search };
}

/** @throws Error when it is no answer of a subgraph */
function readAnswer(status: number, body: Buffer): ExecutionResult {
  if (status >= 500) throw new Error(`It answered with status ${status}`);
  return readResult(JSON.parse(body.toString()) as Answer);
}

interface Answer {
  data?: Record<string, unknown> | null | undefined;
  errors?: readonly GraphQLFormattedError[] | undefined;
  extensions?: unknown;
}

/** Errors arrive as plain objects. */
function readResult({ data = null, errors, extensions }: Answer): ExecutionResult {
  const result = { data, ...(extensions instanceof Object && { extensions: extensions as Record<string, unknown> }) };
  if (!errors) return result;
  return {
    ...result,
    errors: errors.map(({ message, path, extensions }) => {
      return new GraphQLError(message, { path: path ?? null, extensions: extensions ?? null });
    }),
  };
}
