import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

const PRICES = `subscription($count: Int!) {
  prices(count: $count) { price instrument { symbol orderBook(depth: 1) { bids { price } } } }
}`;

const events = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    data: {
      prices: { price: String(index), instrument: { symbol: `COIN${index}-USD`, orderBook: { bids: bids } } },
    },
  }));
const bids = Array.from({ length: 10 }, (_, index) => ({ price: String(100 + index) }));

describe.each([
  { transport: 'in process', spreadOut: false },
  { transport: 'elsewhere', spreadOut: true },
])('subscriptions to subgraphs $transport', ({ spreadOut }) => {
  let graph: ToyGraph;
  let origin: string;
  beforeEach(async () => {
    graph = await startToyGraph({ spreadOut });
    origin = await graph.listen();
  });
  afterEach(() => graph.close());

  const connect = () =>
    createClient({ url: `${origin.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });

  it('by WebSocket: each event is completed by the other subgraphs', async () => {
    const client = connect();
    const received = [];
    for await (const event of client.iterate({ query: PRICES, variables: { count: 3 } })) received.push(event);
    expect(received).toEqual(events(3));
    await client.dispose();
  });

  it('by server-sent events', async () => {
    const response = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: PRICES, variables: { count: 2 } }),
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const messages = (await response.text()).split('\n\n').filter((message) => message.startsWith('event:'));
    expect(messages).toEqual([
      ...events(2).map((event) => `event: next\ndata: ${JSON.stringify(event)}`),
      'event: complete\ndata: ',
    ]);
  });

  it('an event that a domain away cannot complete comes with a typed error, and the next one without', async () => {
    const { exchange } = graph.toys;
    let calls = 0;
    const { execute } = exchange;
    exchange.execute = (request) => {
      calls++;
      if (calls === 1) return Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
      return execute(request);
    };
    const client = connect();
    const received = [];
    for await (const event of client.iterate({ query: PRICES, variables: { count: 2 } })) received.push(event);
    expect(received).toMatchObject([
      {
        data: { prices: { price: '0', instrument: { orderBook: null } } },
        errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'exchange' } }],
      },
      events(2)[1],
    ]);
    expect(received[1]).not.toHaveProperty('errors');
    await client.dispose();
  });

  it('queries and their faults go by WebSocket too', async () => {
    const client = connect();
    const ask = async (query: string) => (await client.iterate({ query }).next()).value;
    expect(await ask('{ instrument(symbol: "X") { symbol } }')).toMatchObject({
      data: { instrument: { symbol: 'X' } },
    });
    expect(await ask('{ marketFault(kind: BUG) }')).toMatchObject({ errors: [{ message: 'Internal error' }] });
    expect(await ask(`{ ${'a: __typename '.repeat(61)} }`)).toMatchObject({
      errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
    });
    await client.dispose();
  });
});

describe('a subscription that does not end by itself', () => {
  let graph: ToyGraph;
  let origin: string;
  /** Whether the subgraph was told to stop. */
  let isEnded: boolean;
  beforeEach(async () => {
    graph = await startToyGraph();
    origin = await graph.listen();
    isEnded = false;
    graph.toys.marketData.execute = async () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          isEnded = true;
          return { done: true as const, value: undefined };
        },
      }),
    });
  });
  afterEach(() => graph.close());

  const listenToEvents = (signal?: AbortSignal) =>
    fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: PRICES, variables: { count: 1 } }),
      ...(signal && { signal }),
    });

  it('ends at its source when the listener of events goes', async () => {
    const aborter = new AbortController();
    await listenToEvents(aborter.signal);
    aborter.abort();
    await expect.poll(() => isEnded).toBe(true);
  });

  it('ends at its source when the client leaves it, even between events', async () => {
    const url = `${origin.replace('http', 'ws')}/graphql`;
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const iterator = client.iterate({ query: PRICES, variables: { count: 1 } });
    void iterator.next().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await iterator.return?.();
    await expect.poll(() => isEnded).toBe(true);
    await client.dispose();
  });

  it('does not keep a gateway from stopping', async () => {
    const response = await listenToEvents();
    await graph.gateway.close();
    expect(await response.text()).toBe(':\n\n'); // without `complete`: its listener comes back
    expect(isEnded).toBe(true);
  });
});

describe('a subgraph elsewhere that goes', () => {
  it('ends its subscriptions with a typed error', async () => {
    const graph = await startToyGraph({ spreadOut: true });
    graph.toys.marketData.execute = async () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    });
    const origin = (await graph.listen()).replace('http', 'ws');
    const client = createClient({ url: `${origin}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
    const received = client.iterate({ query: PRICES, variables: { count: 1 } }).next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await graph.served.get('market-data')?.close();
    expect((await received).value).toMatchObject({
      errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' } }],
    });
    await client.dispose();
    await graph.close();
  });
});

describe('sockets', () => {
  let graph: ToyGraph;
  let origin: string;
  beforeEach(async () => {
    graph = await startToyGraph({ webSocketLimits: { connections: 4, operations: 2, messageBytes: 10_000 } });
    origin = (await graph.listen()).replace('http', 'ws');
  });
  afterEach(() => graph.close());

  const opened = (path: string, options: WebSocket.ClientOptions = {}) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(`${origin}${path}`, 'graphql-transport-ws', options);
      socket.on('open', () => {
        socket.close();
        resolve(101);
      });
      socket.on('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode));
      socket.on('error', () => undefined);
    });

  it('are for pages of this origin and for programs', async () => {
    expect(await opened('/graphql')).toBe(101);
    expect(await opened('/graphql', { origin: origin.replace('ws', 'http') })).toBe(101);
    expect(await opened('/graphql', { origin: 'https://evil.example' })).toBe(403);
    expect(await opened('/elsewhere')).toBe(404);
  });

  it('are so many at once', async () => {
    const sockets = Array.from({ length: 4 }, () => new WebSocket(`${origin}/graphql`, 'graphql-transport-ws'));
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    expect(await opened('/graphql')).toBe(503);
    sockets[0]?.terminate();
    await expect.poll(() => opened('/graphql')).toBe(101);
    for (const socket of sockets) socket.terminate();
  });

  it('carry so many operations at once, of such a size', async () => {
    graph.toys.marketData.execute = async () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    });
    const client = createClient({ url: `${origin}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
    const subscribe = () => client.iterate({ query: PRICES, variables: { count: 1 } }).next();
    void subscribe().catch(() => undefined);
    void subscribe().catch(() => undefined);
    await expect(subscribe()).rejects.toMatchObject([
      { message: 'One socket carries at most 2 operations at once.', extensions: { code: 'LIMIT_EXCEEDED' } },
    ]);
    const large = client.iterate({ query: `{ instrument(symbol: "${'X'.repeat(10_000)}") { symbol } }` });
    await expect(large.next()).rejects.toMatchObject({ code: 1009 });
    await client.dispose();
  });

  it('are told to come back elsewhere when the gateway stops', async () => {
    const sockets = Array.from({ length: 3 }, () => new WebSocket(`${origin}/graphql`, 'graphql-transport-ws'));
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
    await graph.gateway.close();
    expect((await closed).map(([code]) => code)).toEqual([1001, 1001, 1001]);
  });
});
