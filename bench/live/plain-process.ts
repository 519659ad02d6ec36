/**
 * The plainest way to tell clients what changes: LISTEN, and each row as PostgreSQL made it into JSON goes to the sockets
 * that follow its topic. No snapshot, no resuming, no waiting for slow clients, no other domain's fields.
 */
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { PLAIN_CHANNEL } from './database.ts';
import type { ServerMethods } from './graph-process.ts';
import { answerParent, roleOfThisProcess } from './processes.ts';
import { usage, usageAfterCollection } from './usage.ts';

export interface PlainRole {
  databaseUrl: string;
}

const { databaseUrl } = roleOfThisProcess<PlainRole>();
const followers = new Map<string, Set<WebSocket>>();

const client = new pg.Client({ connectionString: databaseUrl });
client.on('error', () => process.exit(1)); // PostgreSQL has gone, and so has the benchmark
await client.connect();
client.on('notification', ({ payload = '' }) => {
  const space = payload.indexOf(' ');
  const row = Buffer.from(payload.slice(space + 1));
  for (const socket of followers.get(payload.slice(0, space)) ?? []) socket.send(row, { binary: false });
});
await client.query(`listen ${PLAIN_CHANNEL}`);

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket, request) => {
  const topic = new URL(request.url ?? '', 'ws://localhost').searchParams.get('topic') ?? '';
  const sockets = followers.get(topic) ?? new Set();
  followers.set(topic, sockets.add(socket));
  socket.on('close', () => {
    sockets.delete(socket);
    if (sockets.size === 0) followers.delete(topic);
  });
});
await new Promise((resolve) => server.once('listening', resolve));

const methods: ServerMethods = {
  url: () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  usage,
  usageAfterCollection,
  calls: () => ({}), // there is nobody to ask
};
answerParent(methods);
