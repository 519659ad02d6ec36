/** How events reach clients over WebSocket and as server-sent events, and what happens to clients that misbehave. */
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { afterEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { LiveResult } from '../../../gateway/live/live-result.ts';
import { settled } from './follow.ts';
import { startToyGraph, type ToyGraph, type ToyGraphOptions } from './toy-graph.ts';
import { createToys } from './toy-subgraphs.ts';

const CHANGES = `subscription($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity instrument { symbol ticker { bid } } } }
}`;

interface Change {
  kind: string;
  cursor: string;
  position: { quantity: string } | null;
}

const graphs: ToyGraph[] = [];
const sockets: WebSocket[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const graph of graphs.splice(0)) await graph.close();
});

async function start(options: ToyGraphOptions = {}): Promise<{ graph: ToyGraph; origin: string; url: string }> {
  const graph = await startToyGraph(options);
  graphs.push(graph);
  const origin = await graph.listen();
  return { graph, origin, url: `${origin.replace('http', 'ws')}/graphql` };
}

/** A client that sends and reads plain messages. */
async function plain(url: string) {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  sockets.push(socket);
  const messages: { id?: string; type: string; payload?: unknown }[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await settled(() => messages.length === 1);
  const subscribe = (id: string, query = CHANGES) =>
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
  return { socket, messages, subscribe };
}

/** A listener to server-sent events. */
async function listen(origin: string) {
  const events: string[] = [];
  const sent = request(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  sent.end(JSON.stringify({ query: CHANGES }));
  const [response] = await once(sent, 'response');
  response
    .setEncoding('utf8')
    .on('data', (text: string) => events.push(...text.split('\n\n').filter((one) => one.startsWith('event: next'))));
  return { events, response };
}

describe('an event', () => {
  it('is made text once for clients by WebSocket and by server-sent events', async () => {
    const { graph, origin, url } = await start();
    const { changes } = graph.toys;
    const first = await plain(url);
    first.subscribe('a');
    first.subscribe('b');
    const second = await plain(url);
    second.subscribe('c');
    const listener = await listen(origin);
    await settled(() => graph.gateway.live().members === 4 && changes.readers.size === 4);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1);
    const stringify = vi.spyOn(JSON, 'stringify');
    changes.upsert('p-0', 7);
    await settled(() => first.messages.at(-2)?.id === 'a' && listener.events.length === 3);
    const results = stringify.mock.calls.filter(([value]) => value instanceof LiveResult);
    expect(results).toHaveLength(1);
    const payload = {
      data: {
        positionChanges: {
          kind: 'UPSERT',
          cursor: 'a1.2.1',
          position: { positionId: 'p-0', quantity: '7', instrument: { symbol: 'COIN0-USD', ticker: { bid: '48400' } } },
        },
      },
    };
    await settled(() => second.messages.length === 4);
    expect(first.messages.slice(-2)).toEqual([
      { id: 'a', type: 'next', payload },
      { id: 'b', type: 'next', payload },
    ]);
    expect(second.messages.at(-1)).toEqual({ id: 'c', type: 'next', payload });
    expect(listener.events.at(-1)).toBe(`event: next\ndata: ${JSON.stringify(payload)}`);
    listener.response.destroy();
  });

  it('says in its text what went wrong', async () => {
    const { graph, url } = await start();
    const client = await plain(url);
    client.subscribe('a');
    await settled(() => client.messages.length === 2);
    graph.toys.marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    graph.toys.changes.upsert('p-0', 7);
    await settled(() => client.messages.length === 3);
    expect(client.messages[2]).toMatchObject({
      id: 'a',
      type: 'next',
      payload: {
        data: { positionChanges: { position: { instrument: { ticker: null } } } },
        errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' } }],
      },
    });
  });
});

describe('a client that takes nothing', () => {
  /** More than the buffers of the two machines between gateway and client hold. */
  async function fill({ toys }: ToyGraph): Promise<void> {
    for (let count = 0; count < 24; count++) {
      toys.changes.upsert('p-0', '9'.repeat(1_000_000));
      await delay(10);
    }
  }

  it('by WebSocket is closed after a time, and others are told on', async () => {
    const { graph, url } = await start({ liveLimits: { stallMs: 200 } });
    const [stalled, other] = [await plain(url), await plain(url)];
    stalled.subscribe('a');
    other.subscribe('b');
    await settled(() => graph.gateway.live().members === 2);
    const closed = once(stalled.socket, 'close');
    stalled.socket.pause();
    await fill(graph);
    await settled(() => graph.gateway.live().members === 1);
    graph.toys.changes.upsert('p-0', 7);
    await settled(() => JSON.stringify(other.messages.at(-1)).includes('"quantity":"7"'));
    stalled.socket.resume();
    const [code] = await closed;
    expect([4410, 1006]).toContain(code);
  });

  it('by server-sent events is closed after a time', async () => {
    const { graph, origin } = await start({ liveLimits: { stallMs: 200 } });
    const { response } = await listen(origin);
    await settled(() => graph.gateway.live().members === 1);
    response.pause();
    await fill(graph);
    await settled(() => graph.gateway.live().members === 0);
    response.on('error', () => undefined);
    response.destroy();
  });

  it('of answers to a flood is closed at once', async () => {
    const { url } = await start({ webSocketLimits: { pendingMessages: 50, operationBurst: 10_000 } });
    const { socket, subscribe } = await plain(url);
    const closed = once(socket, 'close');
    for (let count = 0; count < 1_000; count++) subscribe(String(count), `{ marketFault(kind: CALLER) }`);
    expect(String((await closed)[1])).toBe('Nothing was taken for too long');
  });
});

describe('a client that asks too often', () => {
  it('is refused what is too much, and closed when it goes on', async () => {
    const { url } = await start({ webSocketLimits: { operationsPerSecond: 1, operationBurst: 5 } });
    const { socket, messages, subscribe } = await plain(url);
    for (let count = 0; count < 7; count++) subscribe(String(count), '{ __typename }');
    await settled(() => messages.filter(({ type }) => type !== 'complete').length === 8);
    const refused = messages.filter(({ type }) => type === 'error');
    expect(refused.map(({ id }) => id)).toEqual(['5', '6']);
    expect(refused[0]?.payload).toMatchObject([
      { message: 'One socket begins at most 1 operations a second.', extensions: { code: 'LIMIT_EXCEEDED' } },
    ]);
    const closed = once(socket, 'close');
    for (let count = 7; count < 12; count++) subscribe(String(count), '{ __typename }');
    expect((await closed)[0]).toBe(4429);
  });

  it('comes and goes without a trace', async () => {
    const { graph, url } = await start();
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => plain(url)));
      for (const { subscribe, socket } of clients) {
        for (let count = 0; count < 20; count++) subscribe(String(count));
        if (round % 2 === 0)
          for (let count = 0; count < 20; count += 2) socket.send(`{"id":"${count}","type":"complete"}`);
        graph.toys.changes.upsert('p-0', round);
        if (round % 3 === 0) await settled(() => graph.gateway.live().members > 0);
        socket.terminate();
      }
    }
    await settled(() => graph.toys.changes.readers.size === 0);
    expect(graph.gateway.live()).toMatchObject({ members: 0, groups: 0, upstreams: 0, timers: 0, retainedBytes: 0 });
  });
});

describe('a client that says nothing', () => {
  it('is asked whether it is there, and kept when it answers', async () => {
    const { url } = await start({ webSocketLimits: { keepAliveMs: 300 } });
    const { socket } = await plain(url);
    const pinged = once(socket, 'ping');
    await pinged;
    await delay(2_500);
    expect(socket.readyState).toBe(socket.OPEN);
  });

  it('is taken for gone when it does not answer', async () => {
    const { url } = await start({ webSocketLimits: { keepAliveMs: 300 } });
    const socket = new WebSocket(url, 'graphql-transport-ws', { autoPong: false });
    sockets.push(socket);
    const [code] = await once(socket, 'close');
    expect(code).toBe(1006);
  });
});

describe('a gateway that is about to stop', () => {
  it('lets its clients go on at another one, right after what they have', async () => {
    const toys = createToys();
    const [first, second] = [await start({ toys }), await start({ toys })];
    const { changes } = toys;
    const told = Array.from({ length: 30 }, () => [] as number[]);
    const clients: Client[] = [];
    const run = async (seen: number[]) => {
      let after: string | undefined;
      for (const { url } of [first, second]) {
        const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
        clients.push(client);
        try {
          for await (const { data } of client.iterate<{ positionChanges: Change }>({
            query: CHANGES,
            variables: { after },
          })) {
            after = data?.positionChanges.cursor;
            const quantity = data?.positionChanges.position?.quantity;
            if (quantity !== undefined) seen.push(Number(quantity));
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 1001, reason: 'The gateway is about to stop' });
        }
      }
    };
    const running = told.map(run);
    await settled(() => first.graph.gateway.live().members === 30);
    changes.progress();
    let written = 0;
    const writing = setInterval(() => changes.upsert('p-0', ++written), 5);
    await settled(() => told.every((seen) => seen.length > 10));
    await first.graph.gateway.close();
    await settled(() => second.graph.gateway.live().members === 30);
    clearInterval(writing);
    changes.progress();
    changes.upsert('p-0', ++written);
    await settled(() => told.every((seen) => seen.at(-1) === written));
    for (const seen of told)
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen.at(0) as number) + index));
    await settled(() => second.graph.gateway.live().upstreams === 1);
    await Promise.all(clients.map((client) => client.dispose()));
    await Promise.all(running);
  });
});
