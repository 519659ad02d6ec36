/**
 * The graph: composes the subgraphs, wherever they run, and serves them as one over HTTP, server-sent events and
 * WebSocket, and to callers in this process.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Logger } from '../platform/log.ts';
import { endOn, isStream, openLater } from '../platform/streams.ts';
import { composeSupergraph } from './compose.ts';
import { callerFault } from './errors.ts';
import { exportsOf } from './exports.ts';
import { createHandler, type Readiness } from './http/handler.ts';
import { LIMITS, LIVE_LIMITS, type Limits, type LiveLimits } from './limits.ts';
import type { LiveCounters } from './live/counters.ts';
import { createLive } from './live/live.ts';
import { nativePlanner } from './planner/native.ts';
import { operationRunner, startRuntime } from './runtime.ts';
import { createScope } from './scope.ts';
import { createCircuit } from './transport/circuit.ts';
import { type LocalSubgraph, localTransport } from './transport/local.ts';
import { type RemoteSubgraph, remoteTransport } from './transport/remote.ts';
import { guard, type SubgraphExecutor } from './transport/subgraph-call.ts';
import { WEBSOCKET_LIMITS, type WebSocketLimits } from './websocket/limits.ts';
import { createWebSockets } from './websocket/sockets.ts';

/** A subgraph in this process, or one that is a process of its own. */
export type GatewaySubgraph = LocalSubgraph | RemoteSubgraph;

export interface GatewayOptions {
  subgraphs: readonly GatewaySubgraph[];
  log: Logger;
  /** Clients of a production graph are not told names that come close to a mistyped one. @default false */
  production?: boolean;
  /** @default LIMITS */
  limits?: Partial<Limits>;
  /** @default LIVE_LIMITS */
  liveLimits?: Partial<LiveLimits>;
  /** @default WEBSOCKET_LIMITS */
  webSocketLimits?: Partial<WebSocketLimits>;
  /** How long one subgraph may take for one fetch. @default FETCH_TIMEOUT_MS */
  fetchTimeoutMs?: number;
  /** @default native, where its addon loads */
  planner?: 'native' | 'stitching';
}

export interface ExecuteOptions {
  operationName?: string;
  /** x-request-id, traceparent and authorization are used. */
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Gateway {
  /** Listener for node's HTTP server: operations, exports, explorer pages, /health and /ready. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /** Serves operations over WebSocket on the same path; `close` closes the server too. */
  attachWebSocket(server: Server): void;
  /** One query or mutation of a caller in this process. Never rejects. */
  execute(document: string, variables?: Record<string, unknown>, options?: ExecuteOptions): Promise<ExecutionResult>;
  /**
   * The results of a subscription of a caller in this process, until the caller leaves or the signal aborts. Begins when
   * the first is asked for. Never throws: what is wrong is the last result.
   */
  subscribe(
    document: string,
    variables?: Record<string, unknown>,
    options?: ExecuteOptions,
  ): AsyncIterableIterator<ExecutionResult, undefined>;
  /** What subscriptions hold now. */
  live(): Readonly<LiveCounters>;
  supergraphSdl: string;
  /** Lets what runs come to its end, closes sockets in steps, then everything else. */
  close(): Promise<void>;
}

interface Connected {
  name: string;
  execute: SubgraphExecutor;
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws Error when the subgraphs do not compose; it names the subgraph and the rule */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, production = false, planner } = options;
  const { supergraphSdl, publicSchema } = composeSupergraph(options.subgraphs);
  const subgraphs = options.subgraphs.map((subgraph) => connect(subgraph, options));
  const executors = new Map(subgraphs.map(({ name, execute }) => [name, execute]));
  const liveLimits = { ...LIVE_LIMITS, ...options.liveLimits };
  const { stallMs } = liveLimits;
  const live = createLive(liveLimits);
  const native = { publicSchema, executors, live, log };
  const runtime = await startRuntime({
    supergraphSdl,
    executors,
    unifiedGraphHandler: planner === 'stitching' ? undefined : await nativePlanner(native),
    limits: { ...LIMITS, ...options.limits },
    suggests: !production,
    log,
  });
  const runner = operationRunner(runtime, log);
  const openExport = exportsOf(options.subgraphs);
  const http = createHandler({ runner, readiness: () => readinessOf(subgraphs), openExport, stallMs, log });
  const webSockets = createWebSockets(runner, log, { ...WEBSOCKET_LIMITS, ...options.webSocketLimits, stallMs });
  const servers: Server[] = [];

  return {
    supergraphSdl,
    live: live.counters,
    handler: http.handle,
    attachWebSocket(server) {
      servers.push(server);
      webSockets.attach(server);
    },
    async execute(document, variables = {}, { operationName, headers, signal } = {}) {
      const scope = createScope(headers, signal);
      const result = await runner.run({ query: document, variables, ...(operationName && { operationName }) }, scope);
      if (!isStream(result)) return result;
      await result[Symbol.asyncIterator]().return?.();
      return runner.refuse(callerFault('A subscription has no single answer: subscribe to it.'), scope);
    },
    subscribe(document, variables = {}, { operationName, headers, signal } = {}) {
      const scope = createScope(headers);
      const open = async () => {
        const result = await runner.run({ query: document, variables, ...(operationName && { operationName }) }, scope);
        return isStream<ExecutionResult>(result) ? result : once(result);
      };
      return endOn(signal, openLater(open));
    },
    async close() {
      await Promise.all([webSockets.drain(), http.drain()]);
      live.close();
      for (const server of servers) closeServer(server);
      await runtime.dispose();
      await Promise.all(subgraphs.map((subgraph) => subgraph.close()));
    },
  };
}

async function* once<Value>(value: Value): AsyncGenerator<Value> {
  yield value;
}

function connect(subgraph: GatewaySubgraph, { log, fetchTimeoutMs }: GatewayOptions): Connected {
  const { name } = subgraph;
  if ('url' in subgraph) {
    const { ask, isReady, isThere, close } = remoteTransport(subgraph);
    const circuit = createCircuit({ domain: name, isThere, log });
    const execute = guard(name, ask, { log, timeoutMs: fetchTimeoutMs, circuit });
    return {
      name,
      execute,
      isReady,
      close: () => {
        circuit.close();
        return close();
      },
    };
  }
  return {
    name,
    execute: guard(name, localTransport(subgraph), { log, timeoutMs: fetchTimeoutMs }),
    isReady: async () => (await subgraph.isReady?.()) ?? true,
    close: async () => {}, // who started it stops it
  };
}

async function readinessOf(subgraphs: readonly Connected[]): Promise<Readiness> {
  const answers = await Promise.all(
    subgraphs.map(async ({ name, isReady }) => [name, await isReady().catch(() => false)] as const),
  );
  return { ready: answers.every(([, ready]) => ready), subgraphs: Object.fromEntries(answers) };
}

function closeServer(server: Server): void {
  server.close();
  server.closeIdleConnections();
}
