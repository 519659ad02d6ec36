/** How one domain subscribes to the graph: in the gateway's process, or from a process of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createGraphClient,
  type GraphClient,
  httpTransport,
  webSocketTransport,
} from '../../../platform/graph-client.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

const PRICES = `subscription($count: Int!) { prices(count: $count) { price instrument { symbol ticker { bid } } } }`;

interface Price {
  prices: { price: string };
}

describe.each(['in process', 'by WebSocket'])('a subscription %s', (way) => {
  let graph: ToyGraph;
  let client: GraphClient;
  beforeEach(async () => {
    graph = await startToyGraph();
    const url = `${await graph.listen()}/graphql`;
    client =
      way === 'in process'
        ? createGraphClient(
            (document, variables) => graph.gateway.execute(document, variables),
            (document, variables) => graph.gateway.subscribe(document, variables),
          )
        : createGraphClient(httpTransport(url), webSocketTransport(url));
  });
  afterEach(() => graph.close());

  /** Prices never end; says whether they were left. */
  function endless(): { isLeft: boolean } {
    const state = { isLeft: false };
    let count = 0;
    graph.toys.marketData.execute = async () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          if (count > 0) await new Promise(() => undefined);
          return { done: false, value: { data: { prices: { price: String(count++), instrument: { symbol: 'X' } } } } };
        },
        return: async () => {
          state.isLeft = true;
          return { done: true, value: undefined };
        },
      }),
    });
    return state;
  }

  it('gives the data of each event and ends with it', async () => {
    const received: string[] = [];
    for await (const { prices } of client.subscribe<Price>(PRICES, { count: 3 })) received.push(prices.price);
    expect(received).toEqual(['0', '1', '2']);
  });

  it('ends when the caller leaves', async () => {
    const state = endless();
    for await (const { prices } of client.subscribe<Price>(PRICES, { count: 1 })) {
      expect(prices.price).toBe('0');
      break;
    }
    await expect.poll(() => state.isLeft).toBe(true);
  });

  it('ends when the signal aborts, even between events', async () => {
    const state = endless();
    const aborter = new AbortController();
    const stream = client.subscribe<Price>(PRICES, { count: 1 }, { signal: aborter.signal });
    await stream.next();
    const next = stream.next();
    await delay(20);
    aborter.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    await expect.poll(() => state.isLeft).toBe(true);
  });

  it.runIf(way === 'in process')('ends when the gateway closes', async () => {
    const stream = client.subscribe('subscription { positionChanges { kind } }');
    expect(await stream.next()).toEqual({ done: false, value: { positionChanges: { kind: 'PROGRESS' } } });
    const next = stream.next();
    await graph.gateway.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(graph.toys.changes.readers.size).toBe(0);
  });

  it('throws what the graph refuses', async () => {
    await expect(client.subscribe('subscription { nothing }').next()).rejects.toThrow(
      /refused a request: Cannot query/,
    );
  });

  it('throws a refusal when the domain is away', async () => {
    graph.toys.marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    const next = client.subscribe(PRICES, { count: 1 }).next();
    await expect(next).rejects.toMatchObject({ userError: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' } });
  });

  it.runIf(way === 'by WebSocket')('throws a refusal when the connection goes', async () => {
    endless();
    const stream = client.subscribe<Price>(PRICES, { count: 1 });
    await stream.next();
    const next = stream.next();
    await Promise.all([
      expect(next).rejects.toMatchObject({ userError: { code: 'DOMAIN_UNAVAILABLE', domain: 'gateway' } }),
      graph.gateway.close(),
    ]);
    await expect(client.subscribe(PRICES, { count: 1 }).next()).rejects.toMatchObject({
      userError: { code: 'DOMAIN_UNAVAILABLE', domain: 'gateway' },
    });
  });
});
