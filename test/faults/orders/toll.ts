/**
 * Stands between trading's process and the graph, knows each request by what it is about, and can keep one: before the
 * graph has it, or when the graph has carried it out and only the answer is missing.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Random } from '../history/random.ts';

export interface Parked {
  /** Resolves when the request has come that far. Its answer never comes. */
  reached: Promise<void>;
  /** Lets a request that was kept before the graph go there after all, though nobody waits for its answer any more. */
  deliver(): Promise<void>;
  /** Keeps no further ones. */
  lift(): void;
}

export interface Toll {
  /** Where the graph seems to be. */
  url: string;
  /** Keeps requests of that operation about the order, by its client's or the exchange's id. */
  park(operation: string, orderId: string, when: 'before' | 'after'): Parked;
  /** From now on the graph seems to be away for these operations. */
  close(operations: readonly string[]): void;
  /** From now on that share of the answers is lost, after the graph has given them. */
  lose(share: number, random: Random): void;
  /** From now on everything goes through. */
  open(): void;
  end(): Promise<void>;
}

interface Barrier {
  operation: string;
  orderId: string;
  when: 'before' | 'after';
  reach(): void;
  body?: string;
}

const OPERATION = /^\s*(?:query|mutation)\s+(\w+)/;

export async function startToll(graphPort: number): Promise<Toll> {
  const graphUrl = `http://127.0.0.1:${graphPort}/graphql`;
  let barriers: Barrier[] = [];
  const sockets = new Set<Socket>();
  let closed: readonly string[] = [];
  let isLost = () => false;

  const forward = (body: string, headers: Record<string, string>) =>
    fetch(graphUrl, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const { query, variables } = JSON.parse(body) as { query: string; variables?: { input?: Record<string, unknown> } };
    const operation = OPERATION.exec(query)?.[1] ?? '';
    const orderId = variables?.input?.clientOrderId ?? variables?.input?.orderId;
    if (closed.includes(operation)) {
      response.writeHead(503).end();
      return;
    }
    const barrier = barriers.find((one) => one.operation === operation && one.orderId === orderId);
    if (barrier?.when === 'before') {
      barrier.body ??= body;
      barrier.reach();
      return;
    }
    const answer = await forward(body, headersOf(request));
    const text = await answer.text();
    if (barrier) barrier.reach();
    else if (isLost()) response.destroy();
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const there = connect(graphPort, '127.0.0.1', () => {
      const lines = [`GET ${request.url} HTTP/1.1`];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      }
      there.write(`${lines.join('\r\n')}\r\n\r\n`);
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    there.on('error', () => socket.destroy());
    socket.on('error', () => there.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    park(operation, orderId, when) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const barrier: Barrier = { operation, orderId, when, reach };
      barriers.push(barrier);
      return {
        reached,
        async deliver() {
          await (await forward(barrier.body as string, {})).text();
        },
        lift() {
          barriers = barriers.filter((one) => one !== barrier);
        },
      };
    },
    close(operations) {
      closed = operations;
    },
    lose(share, random) {
      isLost = () => random.chance(share);
    },
    open() {
      closed = [];
      isLost = () => false;
    },
    async end() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const { traceparent, accept } = headers;
  const control = headers['cache-control'];
  return {
    ...(traceparent !== undefined && { traceparent: String(traceparent) }),
    ...(accept !== undefined && { accept }),
    ...(control !== undefined && { 'cache-control': control }),
  };
}
