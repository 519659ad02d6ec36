/** Operations over WebSocket, in the graphql-transport-ws protocol. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { getGraphQLWSOptions } from '@graphql-hive/gateway-runtime';
import type { ServerOptions } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../platform/log.ts';
import { callerFault, presentResult } from './errors.ts';
import { GRAPHQL_PATH } from './http/handler.ts';
import type { Runtime } from './runtime.ts';
import { createScope } from './scope.ts';

export interface WebSocketLimits {
  /** Sockets at once. */
  connections: number;
  /** Operations at once on one socket. */
  operations: number;
  /** Size of a message; bulk ingestion goes over HTTP. */
  messageBytes: number;
  /** Time from opening a socket to its first message. */
  initWaitMs: number;
}

export const WEBSOCKET_LIMITS: WebSocketLimits = {
  connections: 10_000,
  operations: 200,
  messageBytes: 1024 * 1024,
  initWaitMs: 5_000, // 5 seconds
};

/** A silent peer is asked whether it is there. */
const KEEP_ALIVE_MS = 15_000; // 15 seconds

/** Sockets are closed in so many steps, so that their clients do not all come back in one moment. */
const DRAIN_STEPS = 10;

/** Time between two steps. */
const DRAIN_STEP_MS = 100;

/** RFC 6455: the server goes away; clients come back by themselves. */
const GOING_AWAY = 1001;

export interface WebSockets {
  /** Serves the sockets of that server. */
  attach(server: Server): void;
  /** Refuses new sockets and closes those there are, in steps. */
  drain(): Promise<void>;
}

export function createWebSockets(runtime: Runtime, log: Logger, limits: WebSocketLimits): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes });
  const detach: (() => void)[] = [];
  let isDraining = false;

  const scopeOf = (request: IncomingMessage) => createScope({ ...request.headers, 'x-request-id': undefined });
  const options = getGraphQLWSOptions<Record<string, unknown>, Extra>(runtime as never, ({ extra }) => ({
    scope: scopeOf(extra.request),
    headers: {},
  }));
  const limited: ServerOptions<Record<string, unknown>, Extra> = {
    ...(options as object),
    connectionInitWaitTimeout: limits.initWaitMs,
    onSubscribe(context, id, payload) {
      if (Object.keys(context.subscriptions).length <= limits.operations) {
        return options.onSubscribe?.(context, id, payload);
      }
      const fault = callerFault(
        `One socket carries at most ${limits.operations} operations at once.`,
        'LIMIT_EXCEEDED',
      );
      return presentResult({ errors: [fault] }, scopeOf(context.extra.request), log).errors as never;
    },
  };
  useServer(limited, sockets, KEEP_ALIVE_MS);

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isFull = isDraining || sockets.clients.size >= limits.connections;
    if ((request.url ?? '').split('?', 1)[0] !== GRAPHQL_PATH) refuse(socket, '404 Not Found');
    else if (isFull) refuse(socket, '503 Service Unavailable');
    else if (!isSameOrigin(request)) refuse(socket, '403 Forbidden');
    else sockets.handleUpgrade(request, socket, head, (client) => accept(client, request));
  }

  function accept(client: WebSocket, request: IncomingMessage): void {
    sockets.emit('connection', client, request);
    client.removeAllListeners('error'); // graphql-ws would print what clients do wrong, such as a message too large
    client.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
  }

  return {
    attach(server) {
      server.on('upgrade', upgrade);
      detach.push(() => server.off('upgrade', upgrade));
    },
    async drain() {
      isDraining = true;
      const clients = [...sockets.clients];
      const step = Math.ceil(clients.length / DRAIN_STEPS);
      for (let from = 0; from < clients.length; from += step) {
        if (from > 0) await delay(DRAIN_STEP_MS);
        for (const client of clients.slice(from, from + step)) goAway(client);
      }
      await Promise.all(clients.map(gone));
      for (const off of detach.splice(0)) off();
      sockets.close();
    },
  };
}

/** A page of another origin may not use the sockets of whoever looks at it. Programs send no origin. */
function isSameOrigin({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy()); // nobody else listens to a socket that asked for an upgrade
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Time a client has to answer the closing handshake. */
const CLOSE_TIMEOUT_MS = 1_000; // 1 second

function goAway(client: WebSocket): void {
  client.close(GOING_AWAY, 'The gateway is about to stop');
  setTimeout(() => client.terminate(), CLOSE_TIMEOUT_MS).unref();
}

function gone(client: WebSocket): Promise<void> {
  if (client.readyState === client.CLOSED) return Promise.resolve();
  return new Promise((resolve) => client.once('close', () => resolve()));
}
