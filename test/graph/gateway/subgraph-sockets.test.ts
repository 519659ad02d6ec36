/** A subgraph's own sockets, by which gateways elsewhere subscribe. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLError } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { LocalRequest } from '../../../gateway/transport/local.ts';
import { createLogger } from '../../../platform/log.ts';
import { type SubgraphSockets, serveSubgraphSockets } from '../../../platform/subgraph-sockets.ts';
import { settled } from './follow.ts';
import { createToys, type Toys } from './toy-subgraphs.ts';

const CHANGES = 'subscription($after: String) { positionChanges(after: $after) { kind cursor } }';

let toys: Toys;
let sockets: SubgraphSockets;
let url: string;
let close: () => Promise<unknown>;
beforeEach(async () => {
  toys = createToys();
  const server = createServer();
  const log = createLogger({ level: 'silent', service: 'test' });
  sockets = serveSubgraphSockets(
    {
      schema: toys.trading.schema,
      execute: (request) => toys.trading.execute(request as LocalRequest),
      createContext: (headers) => ({ domain: 'trading', requestId: headers['x-request-id'] ?? '', log }),
    },
    server,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  close = () => new Promise((resolve) => server.close(resolve));
});
afterEach(async () => {
  await sockets.close();
  await close();
});

const connect = () => createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });

describe('sockets of a subgraph', () => {
  it('carry many thousand subscriptions each, and end them when they go', async () => {
    const client = connect();
    let told = 0;
    const next = () => {
      told++;
    };
    for (let count = 0; count < 3_000; count++) {
      client.subscribe({ query: CHANGES }, { next, error: () => undefined, complete: () => undefined });
    }
    await settled(() => told === 3_000);
    toys.changes.upsert('p-0', 1);
    await settled(() => told === 6_000);
    expect(toys.changes.readers.size).toBe(3_000);
    client.terminate();
    await settled(() => toys.changes.readers.size === 0);
  });

  it('hand on the headers of each operation', async () => {
    const client = connect();
    const extensions = { headers: { 'x-request-id': 'r1', authorization: 'Bearer token', nested: {} } };
    await client.iterate({ query: '{ __typename }', extensions }).next();
    expect(toys.trading.requests[0]?.headers).toEqual({ 'x-request-id': 'r1', authorization: 'Bearer token' });
    await client.dispose();
  });

  it('refuse documents that do not fit', async () => {
    const client = connect();
    await expect(client.iterate({ query: '{ nothing }' }).next()).rejects.toMatchObject([
      { message: 'Cannot query field "nothing" on type "Query".' },
    ]);
    await expect(client.iterate({ query: '{' }).next()).rejects.toMatchObject([
      { message: expect.stringContaining('Syntax Error') },
    ]);
    await client.dispose();
  });

  it('say of a bug no more than that it was one', async () => {
    const client = connect();
    const failure = (error: Error) => {
      toys.trading.execute = async () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }),
      });
      return expect(client.iterate({ query: CHANGES, extensions: { headers: { 'x-request-id': 'r1' } } }).next());
    };
    const internal = { message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'r1' } };
    await failure(new Error('password=hunter2')).rejects.toEqual([internal]);
    const extensions = { code: 'BAD_USER_INPUT' };
    await failure(new GraphQLError('No.', { extensions })).rejects.toEqual([{ message: 'No.', extensions }]);
    toys.trading.execute = () => Promise.reject(new Error('password=hunter2'));
    const { value } = await client
      .iterate({ query: CHANGES, extensions: { headers: { 'x-request-id': 'r1' } } })
      .next();
    expect(value).toEqual({ errors: [internal] });
    await client.dispose();
  });

  it('are at /graphql only', async () => {
    const socket = new WebSocket(url.replace('/graphql', '/elsewhere'), 'graphql-transport-ws');
    const [, { statusCode }] = await once(socket, 'unexpected-response');
    expect(statusCode).toBe(404);
    socket.on('error', () => undefined);
    socket.terminate();
  });

  it('are closed as going away when the subgraph stops', async () => {
    const client = connect();
    const stream = client.iterate({ query: CHANGES });
    await stream.next();
    const next = stream.next();
    await Promise.all([expect(next).rejects.toMatchObject({ code: 1001 }), sockets.close()]);
    expect(toys.changes.readers.size).toBe(0);
  });
});
