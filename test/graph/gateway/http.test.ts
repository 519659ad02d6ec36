import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explorerTabs } from '../../../gateway/explorer-tabs.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

let graph: ToyGraph;
let origin: string;
beforeAll(async () => {
  graph = await startToyGraph();
  origin = await graph.listen();
});
afterAll(() => graph.close());
beforeEach(() => {
  for (const toy of graph.toys.all) {
    toy.requests.length = 0;
    toy.fault = undefined;
  }
});

const JSON_TYPE = { 'content-type': 'application/json' };
const GRAPHQL_RESPONSE = { ...JSON_TYPE, accept: 'application/graphql-response+json' };

function post(body: unknown, headers: Record<string, string> = JSON_TYPE): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${origin}/graphql`, { method: 'POST', headers, body: text });
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${origin}${path}`, { headers, redirect: 'manual' });

const queryString = (query: string, variables: object = {}) =>
  `/graphql?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`;

describe('operations over HTTP', () => {
  it('are answered as JSON with the request id', async () => {
    const response = await post(
      { query: 'query($s: ID!) { instrument(symbol: $s) { symbol } }', variables: { s: 'X' } },
      { ...JSON_TYPE, 'x-request-id': 'request-7' },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-request-id')).toBe('request-7');
    expect(await response.json()).toMatchObject({
      data: { instrument: { symbol: 'X' } },
      extensions: { requestId: 'request-7' },
    });
  });

  it('name the one that is meant', async () => {
    const response = await post({ query: 'query A { __typename } query B { b: __typename }', operationName: 'B' });
    expect(await response.json()).toMatchObject({ data: { b: 'Query' } });
  });

  it('say what they are made of to clients that know the media type', async () => {
    const good = await post({ query: '{ __typename }' }, GRAPHQL_RESPONSE);
    expect([good.status, good.headers.get('content-type')]).toEqual([
      200,
      'application/graphql-response+json; charset=utf-8',
    ]);
    const bad = { query: '{ nope }' };
    expect((await post(bad, GRAPHQL_RESPONSE)).status).toBe(400);
    expect((await post(bad)).status).toBe(200);
  });

  it('answer 200 when a domain is away: the answer holds what there is', async () => {
    graph.toys.trading.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    const response = await post({ query: '{ portfolio(accountId: "a") { accountId } }' }, GRAPHQL_RESPONSE);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ data: { portfolio: null } });
  });

  it('may be queries in a query string', async () => {
    const response = await get(queryString('query($s: ID!) { instrument(symbol: $s) { symbol } }', { s: 'X' }));
    expect(await response.json()).toMatchObject({ data: { instrument: { symbol: 'X' } } });
  });

  it('may not be commands in a query string', async () => {
    const response = await get(queryString('mutation { placeOrder(quantity: "1") { positionId } }'));
    expect(response.status).toBe(405);
    expect(await response.json()).toMatchObject({
      errors: [{ message: 'A mutation is sent by POST; GET is for queries.', extensions: { code: 'BAD_REQUEST' } }],
    });
    expect(graph.toys.trading.requests).toEqual([]);
  });
});

describe('a request in a form that is not served says which is', () => {
  it.each([
    {
      form: 'a batch',
      body: '[{"query":"{ __typename }"},{"query":"{ __typename }"}]',
      status: 400,
      says: 'not a batch of 2',
    },
    { form: 'no JSON', body: '{"query":', status: 400, says: 'not JSON' },
    { form: 'no object', body: '"{ __typename }"', status: 400, says: 'JSON object' },
    { form: 'no query', body: '{"variables":{}}', status: 400, says: '"query" is a string' },
    {
      form: 'variables as text',
      body: '{"query":"{ a }","variables":"{}"}',
      status: 400,
      says: '"variables" is an object',
    },
    {
      form: 'a name that is none',
      body: '{"query":"{ a }","operationName":7}',
      status: 400,
      says: '"operationName" is a string',
    },
  ])('$form', async ({ body, status, says }) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    const { errors } = await response.json();
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    expect(errors[0].message).toContain(says);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a body of type %s, which any page may send',
    async (type) => {
      const response = await post('query=mutation{placeOrder(quantity:"1"){positionId}}', { 'content-type': type });
      expect(response.status).toBe(415);
      expect(graph.toys.trading.requests).toEqual([]);
    },
  );

  it('a body past the limit', async () => {
    const response = await post({ query: '{ __typename }', variables: { x: 'x'.repeat(9 * 1024 * 1024) } });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ message: 'A request takes at most 8388608 bytes.' }] });
  });

  it('takes a bulk of 8 MB less its frame', async () => {
    const response = await post({ query: '{ __typename }', variables: { x: 'x'.repeat(8_000_000) } });
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  it('another method', async () => {
    const response = await fetch(`${origin}/graphql`, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });

  it('grants no other origin anything', async () => {
    const preflight = await fetch(`${origin}/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.ok).toBe(false);
    const response = await post({ query: '{ __typename }' }, { ...JSON_TYPE, origin: 'https://evil.example' });
    for (const { headers } of [preflight, response]) expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('pages', () => {
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

  it('the explorer is whole in one page, with tabs, and names no other host to fetch from', async () => {
    const response = await get('/graphql', html);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page.includes('YogaGraphiQL.renderYogaGraphiQL')).toBe(true);
    for (const { query } of explorerTabs) expect(page.includes(JSON.stringify(query))).toBe(true);
    expect(
      page.match(/<(?:script|link|img|iframe)\s[^>]{0,200}(?:src|href)="(?:https?:)?\/\/[^"]{0,200}"/g),
    ).toBeNull();
    expect(page.match(/@import\s+.{0,100}|url\(\s*['"]?https?:.{0,100}/g)).toBeNull();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  it('the explorer is not sent again to a browser that has it', async () => {
    const tag = (await get('/graphql', html)).headers.get('etag') ?? '';
    expect((await get('/graphql', { ...html, 'if-none-match': tag })).status).toBe(304);
  });

  it('a browser that follows a link with a query gets the answer', async () => {
    const response = await get(queryString('{ __typename }'), html);
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  it('the root leads to the explorer', async () => {
    const response = await get('/', html);
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
  });

  it('the sandbox says where to go without its maker', async () => {
    const page = await (await get('/sandbox', html)).text();
    expect(page).toContain('embeddable-sandbox');
    expect(page).toContain('<a href="/graphql">');
  });

  it('anything else is not there', async () => {
    const response = await get('/admin');
    expect([response.status, await response.json()]).toEqual([
      404,
      { error: 'There is nothing at /admin; the graph is at /graphql.' },
    ]);
  });
});

describe('health', () => {
  it('is the process being alive', async () => {
    graph.toys.trading.fault = () => Promise.reject(new Error('down'));
    const response = await get('/health');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('readiness is every subgraph answering, and names the one that does not', async () => {
    expect(await (await get('/ready')).json()).toEqual({
      status: 'ready',
      subgraphs: { 'market-data': true, exchange: true, trading: true },
    });
    graph.toys.exchange.fault = () => Promise.reject(new Error('down'));
    const response = await get('/ready');
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'unavailable', subgraphs: { 'market-data': true, exchange: false, trading: true } },
    ]);
  });

  it('readiness of subgraphs elsewhere is asked of them', async () => {
    const apart = await startToyGraph({ spreadOut: true });
    const url = await apart.listen();
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    await apart.served.get('trading')?.close();
    expect(await (await fetch(`${url}/ready`)).json()).toMatchObject({ subgraphs: { trading: false, exchange: true } });
    await apart.close();
  });
});

describe('a client that goes', () => {
  it('takes the fetches of its query with it', async () => {
    const aborted = new Promise<void>((resolve) => {
      graph.toys.trading.fault = ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            resolve();
            reject(signal.reason);
          });
        });
    });
    const request = http.request(`${origin}/graphql`, { method: 'POST', headers: JSON_TYPE });
    request.on('error', () => undefined);
    request.end(JSON.stringify({ query: '{ portfolio(accountId: "a") { accountId } }' }));
    await expect.poll(() => graph.toys.trading.requests.length).toBe(1);
    request.destroy();
    await aborted;
  });
});

describe('a gateway that stops', () => {
  it('answers what it has begun, refuses what comes, and closes the server', async () => {
    const stopping = await startToyGraph();
    const url = await stopping.listen();
    let release = (): void => undefined;
    const execute = stopping.toys.trading.execute;
    stopping.toys.trading.execute = async (request) => {
      stopping.toys.trading.requests.push(request);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return execute(request);
    };
    const body = JSON.stringify({ query: '{ portfolio(accountId: "a") { accountId } }' });
    const running = fetch(`${url}/graphql`, { method: 'POST', headers: JSON_TYPE, body });
    await expect.poll(() => stopping.toys.trading.requests.length).toBe(1);
    const closed = stopping.close();
    const refused = await fetch(`${url}/graphql`, { method: 'POST', headers: JSON_TYPE, body });
    expect(refused.status).toBe(503);
    release();
    expect(await (await running).json()).toMatchObject({ data: { portfolio: { accountId: 'a' } } });
    await closed;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });
});
