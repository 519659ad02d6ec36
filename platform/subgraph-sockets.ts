/**
 * Operations of a subgraph over WebSocket, in the graphql-transport-ws protocol: how a gateway elsewhere subscribes. One
 * gateway has one socket with all its subscriptions on it, so their number on a socket has no limit here.
 */
import type { Server } from 'node:http';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SubgraphContext } from './context.ts';
import { BODY_LIMIT_BYTES } from './http.ts';
import { isStream, mapStream } from './streams.ts';
import { type SubgraphRequest, showErrors } from './subgraph.ts';

/** The parts of a subgraph that are needed to serve it. */
export interface SocketSubgraph {
  schema: GraphQLSchema;
  execute(request: SubgraphRequest): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** What a log line of an operation with these headers says. */
  createContext(headers: Record<string, string>): Pick<SubgraphContext<unknown>, 'domain' | 'requestId' | 'log'>;
}

export interface SubgraphSockets {
  /** Closes every socket, with 1001 ("going away"): gateways come back and resume. */
  close(): Promise<void>;
}

/** Documents that are remembered with what is wrong with them: a gateway sends the same few again and again. */
const REMEMBERED_DOCUMENTS = 1_000;

/** A gateway that is silent is asked so often whether it is there. */
const KEEP_ALIVE_MS = 15_000; // 15 seconds

/** Time a gateway has to answer the closing handshake. */
const CLOSE_TIMEOUT_MS = 1_000; // 1 second

/** RFC 6455: the server goes away. */
const GOING_AWAY = 1001;

/** Serves /graphql of that server by WebSocket. */
export function serveSubgraphSockets(subgraph: SocketSubgraph, server: Server): SubgraphSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: BODY_LIMIT_BYTES });
  const read = documentReader(subgraph);
  const run = (args: ExecutionArgs) => answer(subgraph, args);
  useServer(
    {
      onSubscribe(_context, _id, { query, variables, operationName, extensions }) {
        const { document, errors } = read(query);
        if (!document) return errors;
        return {
          schema: subgraph.schema,
          document,
          variableValues: variables ?? {},
          operationName: operationName ?? null,
          contextValue: headersOf(extensions),
        };
      },
      execute: run,
      subscribe: run as never,
    },
    sockets,
    KEEP_ALIVE_MS,
  );
  sockets.on('connection', (socket) => {
    socket.removeAllListeners('error'); // graphql-ws would print what peers do wrong, such as a message too large
    socket.on('error', () => socket.terminate());
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/graphql') {
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    } else {
      socket.on('error', () => socket.destroy()); // nobody else listens to a socket that asked for an upgrade
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    }
  });
  return {
    async close() {
      const clients = [...sockets.clients];
      for (const client of clients) client.close(GOING_AWAY, 'The subgraph is about to stop');
      await Promise.all(clients.map(gone));
      sockets.close();
    },
  };
}

type Read = { document: DocumentNode; errors?: never } | { document?: never; errors: readonly GraphQLError[] };

/** Reads documents and checks that they fit the schema, each once. */
function documentReader({ schema }: SocketSubgraph): (text: string) => Read {
  const known = new Map<string, Read>();
  return (text) => {
    const read = known.get(text) ?? check(text, schema);
    known.delete(text);
    known.set(text, read); // last in the map is last used
    if (known.size > REMEMBERED_DOCUMENTS) known.delete(known.keys().next().value as string);
    return read;
  };
}

function check(text: string, schema: GraphQLSchema): Read {
  try {
    const document = parse(text);
    const errors = validate(schema, document);
    return errors.length > 0 ? { errors } : { document };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { errors: [error] };
  }
}

/** The gateway's headers of an operation travel with it, since a socket carries operations of many clients. */
function headersOf(extensions: Record<string, unknown> | null | undefined): Record<string, string> {
  const headers = Object.entries(Object(extensions?.headers) as Record<string, unknown>);
  return Object.fromEntries(headers.filter((header): header is [string, string] => typeof header[1] === 'string'));
}

async function answer(
  subgraph: SocketSubgraph,
  { document, variableValues, operationName, contextValue }: ExecutionArgs,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  const headers = contextValue as Record<string, string>;
  const request = {
    document,
    headers,
    ...(variableValues && { variables: { ...variableValues } }),
    ...(operationName != null && { operationName }),
  };
  const shown = (error: unknown) => showBreak(subgraph, headers, error);
  try {
    const result = await subgraph.execute(request);
    return isStream<ExecutionResult>(result) ? mapStream(result, (event) => event, shown) : result;
  } catch (error) {
    return { errors: [shown(error)] };
  }
}

/** What a gateway may see of an error that broke a whole operation or stream. */
function showBreak(subgraph: SocketSubgraph, headers: Record<string, string>, cause: unknown): GraphQLError {
  const originalError = cause instanceof Error ? cause : new Error(String(cause));
  const error = cause instanceof GraphQLError ? cause : new GraphQLError(originalError.message, { originalError });
  const [shown] = showErrors([error], subgraph.createContext(headers));
  return shown as GraphQLError;
}

function gone(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => client.terminate(), CLOSE_TIMEOUT_MS);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
