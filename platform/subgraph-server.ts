/** A subgraph as a process of its own: GraphQL over HTTP by Apollo Server and over WebSocket, with /health and /ready. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer, type ApolloServerPlugin, HeaderMap, type HTTPGraphQLRequest } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import type { SubgraphContext } from './context.ts';
import { readBody } from './http.ts';
import { degradedIn, type Subgraph, showErrors } from './subgraph.ts';
import { serveSubgraphSockets } from './subgraph-sockets.ts';
import { EXPORT_PATH, readExportCall, sendExport } from './transfer/export-http.ts';

export interface SubgraphServer {
  /** Where it listens, for example "http://127.0.0.1:4002/graphql". */
  url: string;
  close(): Promise<void>;
}

type Context = SubgraphContext<unknown>;

/** Serves the subgraph until `close`, which lets running requests end. */
export async function serveSubgraph(
  subgraph: Subgraph,
  options: { port: number; host: string },
): Promise<SubgraphServer> {
  const apollo = new ApolloServer<Context>({
    schema: subgraph.schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [ApolloServerPluginInlineTraceDisabled(), likeInProcess],
  });
  await apollo.start();

  const server = createServer((request, response) => {
    respond(apollo, subgraph, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const sockets = serveSubgraphSockets(subgraph, server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}/graphql`,
    close: async () => {
      await Promise.all([sockets.close(), closeServer(server)]);
      await apollo.stop();
    },
  };
}

/**
 * Does what `execute` in process does: what a command has done is read from PostgreSQL, caller faults are shown as they
 * are, bugs are masked and logged, and stores that were not to be had are told.
 */
const likeInProcess: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation, contextValue }) {
        if (operation?.operation === 'mutation') contextValue.reading.isFresh = true;
      },
      async willSendResponse({ contextValue, errors, response: { body } }) {
        if (body.kind !== 'single') return;
        const result = body.singleResult;
        if (errors) result.errors = showErrors(errors, contextValue).map((error) => error.toJSON());
        const degraded = degradedIn(contextValue);
        if (degraded) result.extensions = { ...result.extensions, degraded };
      },
    };
  },
};

async function respond(
  apollo: ApolloServer<Context>,
  subgraph: Subgraph,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = new URL(request.url ?? '/', 'http://subgraph');
  if (url.pathname === '/health') return send(response, 200, { status: 'ok', domain: subgraph.name });
  if (url.pathname === '/ready') {
    const ready = await subgraph.isReady();
    return send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unavailable', domain: subgraph.name });
  }
  if (url.pathname.startsWith(EXPORT_PATH) && request.method === 'GET') {
    return sendExport(await subgraph.exports.open(readExportCall(request)), request, response);
  }
  if (url.pathname !== '/graphql')
    return send(response, 404, { error: 'There is only /graphql, /export, /health and /ready here.' });

  const body = await readBody(request);
  if ('problem' in body) return send(response, body.status, { errors: [{ message: body.problem }] });
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const httpGraphQLRequest: HTTPGraphQLRequest = {
    method: request.method ?? 'GET',
    headers,
    search: url.search,
    body: body.json,
  };
  const context = async () => subgraph.createContext(Object.fromEntries(headers));
  const answer = await apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest, context });
  response.statusCode = answer.status ?? 200;
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.body.kind === 'complete') response.end(answer.body.string);
  else {
    for await (const chunk of answer.body.asyncIterator) response.write(chunk);
    response.end();
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Stops listening and lets requests in flight end. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
