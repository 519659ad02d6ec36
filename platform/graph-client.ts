import { refuse } from './errors.ts';

/** The whole graph as one domain asks it for facts of another. */
export interface GraphClient {
  /**
   * The `data` of the operation.
   * @throws Refusal (domain unavailable) when the graph or a domain of it does not answer
   * @throws Error when the graph refuses the document: a bug of the caller
   */
  request<Data>(document: string, variables?: Record<string, unknown>): Promise<Data>;
}

interface GraphResponse {
  data?: unknown;
  errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** Sends an operation to the graph, wherever it is. */
export type GraphTransport = (document: string, variables: Record<string, unknown>) => Promise<GraphResponse>;

/** A command that waits longer for another domain is better refused. */
const REQUEST_TIMEOUT_MS = 5_000; // 5 seconds

export function createGraphClient(send: GraphTransport): GraphClient {
  return {
    async request<Data>(document: string, variables: Record<string, unknown> = {}) {
      const { data, errors = [] } = await send(document, variables);
      const away = errors.find((error) => error.extensions?.code === 'DOMAIN_UNAVAILABLE');
      if (away) throw refuse.domainUnavailable(String(away.extensions?.domain ?? 'graph'));
      if (errors.length > 0) throw new Error(`The graph refused a request: ${errors.map((e) => e.message).join('; ')}`);
      return data as Data;
    },
  };
}

/** The graph behind a gateway's URL. */
export function httpTransport(url: string): GraphTransport {
  return async (query, variables) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    }).catch(() => {
      throw refuse.domainUnavailable('gateway');
    });
    if (response.status >= 500) throw refuse.domainUnavailable('gateway');
    return (await response.json()) as GraphResponse;
  };
}
