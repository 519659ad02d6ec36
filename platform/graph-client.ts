import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { refuse } from './errors.ts';
import { endOn, mapStream, openLater } from './streams.ts';
import { traceparentOf } from './trace.ts';

/** The whole graph as one domain asks it for facts of another. */
export interface GraphClient {
  /**
   * The `data` of the operation.
   * @throws Refusal (domain unavailable) when the graph or a domain of it does not answer
   * @throws Error when the graph refuses the document: a bug of the caller
   */
  request<Data>(
    document: string,
    variables?: Record<string, unknown>,
    options?: {
      /** W3C trace id that the request goes on with. @default a new one */
      traceId?: string | null;
    },
  ): Promise<Data>;
  /**
   * The `data` of each event, until the caller leaves the stream or `signal` aborts, which ends it. It throws as
   * `request` does, also when the connection to the graph goes: whoever wants to go on subscribes anew, `after` the
   * last cursor it saw.
   */
  subscribe<Data>(
    document: string,
    variables?: Record<string, unknown>,
    options?: { signal?: AbortSignal },
  ): AsyncIterableIterator<Data, undefined>;
}

interface GraphResponse {
  data?: unknown;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** Sends an operation to the graph, wherever it is, with these headers. */
export type GraphTransport = (
  document: string,
  variables: Record<string, unknown>,
  headers: Record<string, string>,
) => Promise<GraphResponse>;

/**
 * Subscribes to the graph, wherever it is, with these headers. Ends when the caller leaves; throws when the connection
 * goes.
 */
export type GraphSubscribeTransport = (
  document: string,
  variables: Record<string, unknown>,
  headers: Record<string, string>,
) => AsyncIterable<GraphResponse>;

/** Gives the header `authorization` of requests, where they need one. */
export type Authorization = () => Promise<string | undefined>;

/** A command that waits longer for another domain is better refused. */
const REQUEST_TIMEOUT_MS = 5_000; // 5 seconds

/**
 * @param subscribe how to subscribe. @default refused: the caller has no way to
 * @param authorization what requests show of who asks. @default nothing
 */
export function createGraphClient(
  send: GraphTransport,
  subscribe?: GraphSubscribeTransport,
  authorization: Authorization = async () => undefined,
): GraphClient {
  const shown = async (): Promise<Record<string, string>> => {
    const value = await authorization();
    return value === undefined ? {} : { authorization: value };
  };
  return {
    async request<Data>(document: string, variables: Record<string, unknown> = {}, { traceId }: RequestOptions = {}) {
      const headers = {
        ...FRESH,
        ...(await shown()),
        ...(traceId && { traceparent: traceparentOf(traceId) }),
      };
      return dataOf<Data>(await send(document, variables, headers));
    },
    subscribe<Data>(document: string, variables: Record<string, unknown> = {}, { signal }: SubscribeOptions = {}) {
      if (!subscribe) throw new Error('This client of the graph was made without a way to subscribe');
      const open = async () => subscribe(document, variables, await shown());
      return endOn(signal, mapStream(openLater(open), dataOf<Data>));
    },
  };
}

interface RequestOptions {
  traceId?: string | null;
}

interface SubscribeOptions {
  signal?: AbortSignal;
}

function dataOf<Data>({ data, errors = [] }: GraphResponse): Data {
  const away = errors.find((error) => error.extensions?.code === 'DOMAIN_UNAVAILABLE');
  if (away) throw refuse.domainUnavailable(String(away.extensions?.domain ?? 'graph'));
  if (errors.length > 0) throw new Error(messagesOf(errors));
  return data as Data;
}

function messagesOf(errors: readonly { message: string }[]): string {
  return `The graph refused a request: ${errors.map(({ message }) => message).join('; ')}`;
}

/** Who asks the graph for facts decides by them: nothing comes from a cache. */
export const FRESH = { 'cache-control': 'no-cache' };

/** The graph behind a gateway's URL. */
export function httpTransport(url: string): GraphTransport {
  return async (query, variables, headers) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    }).catch(() => {
      throw refuse.domainUnavailable('gateway');
    });
    if (response.status >= 500) throw refuse.domainUnavailable('gateway');
    return (await response.json()) as GraphResponse;
  };
}

/**
 * Subscriptions of the graph behind a gateway's URL. They share one socket, which is open while there is any, and which
 * shows the authorization of who has opened it.
 */
export function webSocketTransport(url: string, authorization?: Authorization): GraphSubscribeTransport {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: async () => ({ authorization: await authorization?.() }),
    webSocketImpl: WebSocket,
    connectionAckWaitTimeout: REQUEST_TIMEOUT_MS,
    retryAttempts: 0, // the caller knows its cursor and comes back
  });
  return (query, variables) =>
    mapStream(
      client.iterate({ query, variables }),
      (event) => event as GraphResponse,
      (error) => (Array.isArray(error) ? new Error(messagesOf(error)) : refuse.domainUnavailable('gateway')),
    );
}
