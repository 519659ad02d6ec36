/** Operations over HTTP: JSON in, JSON or server-sent events out, as "GraphQL over HTTP" has it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { BODY_LIMIT_BYTES } from '../../platform/http.ts';
import { isStream } from '../../platform/streams.ts';
import { callerFault, statusOf } from '../errors.ts';
import type { Operation, OperationRunner } from '../runtime.ts';
import { createScope, type RequestScope } from '../scope.ts';
import { readText } from './body.ts';
import { type EventOptions, sendEvents } from './events.ts';

const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/** The media types that a page of another origin cannot send without asking first, which is refused. */
const JSON_BODY = /^application\/(graphql\+)?json\s*(;|$)/i;

/** Answers a GET or POST of /graphql. A subscription ends when its client goes, or when the gateway is about to stop. */
export async function answerOperation(
  runner: OperationRunner,
  request: IncomingMessage,
  response: ServerResponse,
  events: EventOptions,
): Promise<void> {
  const aborter = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) aborter.abort();
  });
  const scope = createScope(request.headers, aborter.signal);
  const accept = request.headers.accept ?? '';
  const operation = await readOperation(request);
  const result = isFault(operation) ? runner.refuse(operation, scope) : await runner.run(operation, scope);

  if (accept.includes('text/event-stream')) return sendEvents(result, response, scope, events);
  if (!isStream(result)) return sendResult(result, response, scope, accept);
  await result[Symbol.asyncIterator]().return?.();
  const fault = callerFault('Subscribe by WebSocket, or with "accept: text/event-stream".', 'BAD_REQUEST', {
    status: 406,
  });
  sendResult(runner.refuse(fault, scope), response, scope, accept);
}

function sendResult(result: ExecutionResult, response: ServerResponse, scope: RequestScope, accept: string): void {
  const isGraphQLResponse = accept.includes(GRAPHQL_RESPONSE);
  const body = JSON.stringify(result);
  const status = statusOf(result, isGraphQLResponse);
  response.writeHead(status, {
    'content-type': `${isGraphQLResponse ? GRAPHQL_RESPONSE : 'application/json'}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-request-id': scope.requestId,
    ...(status === 413 && { connection: 'close' }),
  });
  response.end(body);
}

type Fault = GraphQLError;

const isFault = (operation: Operation | Fault): operation is Fault => operation instanceof Error;

async function readOperation(request: IncomingMessage): Promise<Operation | Fault> {
  if (request.method === 'GET') return readQueryString(request.url ?? '');
  if (!JSON_BODY.test(request.headers['content-type'] ?? '')) {
    return callerFault('Send the operation as "content-type: application/json".', 'BAD_REQUEST', { status: 415 });
  }
  const text = await readText(request).catch(() => ''); // the client went: nobody reads the answer
  if (text === null) {
    return callerFault(`A request takes at most ${BODY_LIMIT_BYTES} bytes.`, 'BAD_REQUEST', { status: 413 });
  }
  try {
    return readParameters(JSON.parse(text));
  } catch {
    return callerFault('The body is not JSON.');
  }
}

function readQueryString(url: string): Operation | Fault {
  const { searchParams } = new URL(url, 'http://gateway');
  const parameters: Record<string, unknown> = Object.fromEntries(searchParams);
  try {
    for (const name of ['variables', 'extensions']) {
      const value = searchParams.get(name);
      if (value !== null) parameters[name] = JSON.parse(value);
    }
  } catch {
    return callerFault('"variables" and "extensions" of a query string are JSON.');
  }
  const operation = readParameters(parameters);
  return isFault(operation) ? operation : { ...operation, isReadOnly: true };
}

function readParameters(json: unknown): Operation | Fault {
  if (Array.isArray(json)) {
    return callerFault(`One request carries one operation, not a batch of ${json.length}: send them separately.`);
  }
  if (!isObject(json)) return callerFault('The body is a JSON object with "query" and, if it has any, "variables".');
  const { query, variables, operationName } = json;
  if (typeof query !== 'string' || query === '') return callerFault('"query" is a string: the GraphQL document.');
  if (variables !== undefined && variables !== null && !isObject(variables)) {
    return callerFault('"variables" is an object with a value by name.');
  }
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    return callerFault('"operationName" is a string: the name of an operation of the document.');
  }
  return { query, ...(variables && { variables }), ...(operationName && { operationName }) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
