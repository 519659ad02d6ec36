/** Operations over WebSocket, in the graphql-transport-ws protocol. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../platform/log.ts';
import { GRAPHQL_PATH } from '../http/handler.ts';
import type { OperationRunner } from '../runtime.ts';
import { CloseCode } from './close-codes.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import { createProtocol } from './protocol.ts';

/** How often connections are looked at. */
const CHECK_INTERVAL_MS = 1_000; // 1 second

/** Sockets are closed in so many steps, so that their clients do not all come back in one moment. */
const DRAIN_STEPS = 10;

/** Time between two steps. */
const DRAIN_STEP_MS = 100;

export interface WebSockets {
  /** Serves the sockets of that server. */
  attach(server: Server): void;
  /** Refuses new sockets and closes those there are, in steps. */
  drain(): Promise<void>;
}

export function createWebSockets(runner: OperationRunner, log: Logger, limits: ConnectionLimits): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, handleProtocols });
  const protocol = createProtocol(runner, limits);
  const connections = new Map<WebSocket, Connection>();
  const detach: (() => void)[] = [];
  let isDraining = false;
  const checks = setInterval(() => {
    const now = Date.now();
    for (const connection of connections.values()) connection.check(now);
  }, CHECK_INTERVAL_MS);
  checks.unref();

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isFull = isDraining || connections.size >= limits.connections;
    if ((request.url ?? '').split('?', 1)[0] !== GRAPHQL_PATH) refuse(socket, '404 Not Found');
    else if (isFull) refuse(socket, '503 Service Unavailable');
    else if (!isSameOrigin(request)) refuse(socket, '403 Forbidden');
    else sockets.handleUpgrade(request, socket, head, (client) => accept(client, request.headers));
  }

  function accept(client: WebSocket, { authorization, traceparent }: IncomingMessage['headers']): void {
    const connection = new Connection(client, limits, Date.now());
    connections.set(client, connection);
    client.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
    const closed = protocol.opened(connection, { connection, headers: { authorization, traceparent } });
    client.once('close', (code, reason) => {
      connections.delete(client);
      closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, 'a socket was not closed well'));
    });
  }

  return {
    attach(server) {
      server.on('upgrade', upgrade);
      detach.push(() => server.off('upgrade', upgrade));
    },
    async drain() {
      isDraining = true;
      const clients = [...connections];
      const step = Math.ceil(clients.length / DRAIN_STEPS);
      for (let from = 0; from < clients.length; from += step) {
        if (from > 0) await delay(DRAIN_STEP_MS);
        for (const [, connection] of clients.slice(from, from + step)) {
          connection.end(CloseCode.GOING_AWAY, 'The gateway is about to stop');
        }
      }
      await Promise.all(clients.map(([client]) => gone(client)));
      for (const off of detach.splice(0)) off();
      clearInterval(checks);
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

function gone(client: WebSocket): Promise<void> {
  if (client.readyState === client.CLOSED) return Promise.resolve();
  return new Promise((resolve) => client.once('close', () => resolve()));
}
