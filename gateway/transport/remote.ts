/** Subgraphs that are processes of their own: queries and commands over HTTP, subscriptions over graphql-ws. */
import http from 'node:http';
import https from 'node:https';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { mapStream } from '../../platform/streams.ts';
import { DomainUnavailable, type SubgraphCall, type SubgraphTransport } from './subgraph-call.ts';

export interface RemoteSubgraph {
  name: string;
  /** The federation SDL. */
  sdl: string;
  /** Where it answers, for example "http://127.0.0.1:4002/graphql". */
  url: string;
  /** Where it serves subscriptions. @default the url, by WebSocket */
  subscriptionsUrl?: string;
}

export interface RemoteTransport {
  ask: SubgraphTransport;
  /** Whether the subgraph says that it can answer now. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/** Sockets kept to one subgraph; further calls wait for one. */
const MAX_SOCKETS = 256;

/** A subgraph that answers with more is out of order. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Whoever asks whether the graph is ready waits no longer than this for one subgraph. */
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
    sockets ??= createClient({
      url: subgraph.subscriptionsUrl ?? url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0, // a subscription that breaks is resumed by its client, which knows the last cursor it saw
    });
    const { text: query, variables, operationName, scope } = call;
    const events = sockets.iterate<Record<string, unknown>>({
      query,
      extensions: { headers: scope.headers },
      ...(variables && { variables }),
      ...(operationName !== undefined && { operationName }),
    });
    return mapStream(events, readResult, (cause) => new DomainUnavailable(name, { cause }));
  }

  return {
    async ask(call, signal) {
      if (call.kind === 'subscription') return subscribe(call);
      const { text: query, variables, operationName } = call;
      return post(JSON.stringify({ query, variables, operationName }), call, signal);
    },
    isReady: () =>
      fetch(new URL('/ready', url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }).then(
        (response) => response.ok,
        () => false,
      ),
    async close() {
      await sockets?.dispose();
      agent.destroy();
    },
  };
}

function partsOf(url: URL): { hostname: string; port: string; path: string } {
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path: url.pathname + url.search };
}

/** @throws Error when it is no answer of a subgraph */
function readAnswer(status: number, body: Buffer): ExecutionResult {
  if (status >= 500) throw new Error(`It answered with status ${status}`);
  const answer = JSON.parse(body.toString()) as { data?: Record<string, unknown>; errors?: GraphQLFormattedError[] };
  return readResult(answer);
}

/** Errors arrive as plain objects. */
function readResult(answer: {
  data?: Record<string, unknown> | null | undefined;
  errors?: readonly GraphQLFormattedError[] | undefined;
}): ExecutionResult {
  const { data = null, errors } = answer;
  if (!errors) return { data };
  return {
    data,
    errors: errors.map(({ message, path, extensions }) => {
      return new GraphQLError(message, { path: path ?? null, extensions: extensions ?? null });
    }),
  };
}
