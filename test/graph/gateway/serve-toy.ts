/** A toy as a process of its own would be: GraphQL over HTTP and WebSocket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ExecutionResult, parse } from 'graphql';
import type { LocalRequest } from '../../../gateway/transport/local.ts';
import { createLogger } from '../../../platform/log.ts';
import { serveSubgraphSockets } from '../../../platform/subgraph-sockets.ts';
import type { Toy } from './toy-subgraphs.ts';

export interface ServedToy {
  url: string;
  /** Stops it as a crash does: connections are cut. */
  close(): Promise<void>;
}

export async function serveToy(toy: Toy): Promise<ServedToy> {
  const server = createServer((request, response) => void answer(toy, request, response));
  const sockets = new Set<Duplex>();
  server.on('upgrade', (_request, socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  serveSubgraphSockets(
    {
      schema: toy.schema,
      execute: (request) => toy.execute(request as LocalRequest),
      createContext: () => ({
        domain: 'trading',
        requestId: 'toy',
        log: createLogger({ level: 'silent', service: 'toy' }),
      }),
    },
    server,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/graphql`, close: () => cut(server, sockets) };
}

async function answer(toy: Toy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.url === '/ready') return send((await toy.isReady()) ? 200 : 503, {});
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString());
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  try {
    const result = await toy.execute({ document: parse(query), variables, operationName, headers });
    send(200, result as ExecutionResult);
  } catch (error) {
    send(500, { errors: [{ message: String(error) }] });
  }
}

function cut(server: Server, sockets: ReadonlySet<Duplex>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
