/** Clients that ask for the same changes share what it takes to tell them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Follower, follow, settled } from './follow.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

const CHANGES = `subscription Changes($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity instrument { symbol ticker { bid } } } }
}`;

const IDLE = { members: 0, groups: 0, upstreams: 0, timers: 0, retainedBytes: 0 };

let graph: ToyGraph;
const clients: Follower[] = [];
beforeEach(async () => {
  graph = await startToyGraph();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.leave();
  await settled(() => graph.toys.changes.readers.size === 0);
  expect(graph.gateway.live()).toMatchObject(IDLE);
  await graph.close();
});

function subscribe(document = CHANGES, variables: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const client = follow(graph, document, variables, headers);
  clients.push(client);
  return client;
}

/** Brings clients past their snapshots, and those that can to one stream. */
async function meet(): Promise<void> {
  await settled(() => clients.every(({ kinds }) => kinds().length > 0 || kinds === undefined));
  graph.toys.changes.progress();
  await settled(() => clients.every(({ kinds }) => kinds().filter((kind) => kind === 'PROGRESS').length >= 2));
}

describe('a shared stream', () => {
  it('is one subscription, one completion and one text an event for all its clients', async () => {
    const { changes, marketData } = graph.toys;
    changes.upsert('p-0', 1);
    for (let count = 0; count < 20; count++) subscribe();
    await settled(() => clients.every(({ kinds }) => kinds().length === 2));
    expect(changes.readers.size).toBe(20);
    await meet();
    expect(changes.readers.size).toBe(1);

    const before = { asked: marketData.requests.length, told: graph.gateway.live().events };
    for (let quantity = 2; quantity <= 11; quantity++) changes.upsert('p-0', quantity);
    await settled(() => clients.every(({ received }) => received.length === 13));
    expect(marketData.requests.length - before.asked).toBeLessThanOrEqual(10); // events of one turn are completed together
    expect(graph.gateway.live()).toMatchObject({ events: before.told + 10, groups: 1, upstreams: 1, members: 20 });
    for (const client of clients) {
      expect(client.kinds()).toEqual(['SNAPSHOT', 'PROGRESS', 'PROGRESS', ...Array(10).fill('UPSERT')]);
      expect(client.received.at(-1)).toBe(clients[0]?.received.at(-1));
    }
  });

  it('is for clients with equal variables and authorization, wherever they begin', async () => {
    const document = `subscription($accountId: ID, $after: String) {
      positionChanges(accountId: $accountId, after: $after) { kind position { quantity } }
    }`;
    subscribe(document, { accountId: 'a' });
    subscribe(document, { accountId: 'a', after: null });
    subscribe(document, { accountId: 'b' });
    subscribe(document, { accountId: 'a' }, { authorization: 'Bearer other' });
    subscribe(document, { accountId: 'a' }, { 'x-request-id': 'other' });
    await meet();
    expect(graph.gateway.live()).toMatchObject({ members: 5, groups: 3, upstreams: 3 });
  });

  it('is for documents that differ only in where they begin', async () => {
    const document = (begin: string) => `subscription { positionChanges${begin} { kind cursor } }`;
    const { changes } = graph.toys;
    changes.upsert('p-0', 1);
    changes.progress();
    subscribe(document('(after: "a1.1")'));
    subscribe(document('(after: "a1.1.0")'));
    subscribe(document(''));
    await settled(() => changes.afters.length === 3);
    changes.progress();
    changes.progress();
    await settled(() => clients.every(({ kinds }) => kinds().includes('PROGRESS')));
    await settled(() => graph.gateway.live().upstreams === 1);
    expect(new Set(changes.afters)).toEqual(new Set(['a1.1', 'a1.1.0', undefined]));
    expect(clients.map(({ kinds }) => kinds()[0])).toEqual(['PROGRESS', 'UPSERT', 'SNAPSHOT']);
  });

  it('tells nothing that was not asked for', async () => {
    const client = subscribe(`subscription($after: String, $with: Boolean = false) {
      changes: positionChanges(after: $after) { __typename at ... on Change { what: kind } position @include(if: $with) { quantity } }
    }`);
    await settled(() => client.received.length === 1);
    graph.toys.changes.upsert('p-0', 1);
    await settled(() => client.received.length === 2);
    expect(client.received[1]).toEqual({
      data: { changes: { __typename: 'PositionChange', at: '2026-01-01T00:00:00Z', what: 'UPSERT' } },
    });
  });

  it.each([
    'subscription A($after: String = "a1.0") { ...Changes } fragment Changes on Subscription { positionChanges(after: $after) { kind } }',
    'query B { __typename } subscription A { ... on Subscription { positionChanges { ...Kind } } } fragment Kind on Change { kind }',
    'subscription A { positionChanges { kind _liveKind: at _liveCursor: at } }',
  ])('is for documents of any form: %s', async (document) => {
    const stream = graph.gateway.subscribe(document, {}, { operationName: 'A' });
    const first = stream.next();
    await settled(() => graph.gateway.live().upstreams === 1);
    graph.toys.changes.progress();
    expect((await first).value?.data?.positionChanges).toMatchObject({ kind: 'PROGRESS' });
    const second = stream.next();
    graph.toys.changes.progress();
    await second;
    expect(graph.gateway.live()).toMatchObject({ groups: 1, upstreams: 1 });
    await stream.return?.();
  });

  it('asks no other domain for an event without an item', async () => {
    const client = subscribe();
    await settled(() => client.received.length === 1);
    for (let count = 0; count < 5; count++) {
      graph.toys.changes.progress();
      await settled(() => client.received.length === 2 + count);
    }
    expect(graph.toys.marketData.requests).toHaveLength(0);
  });

  it('says that it lives while nothing happens', async () => {
    subscribe();
    subscribe();
    await meet();
    for (let beats = 1; beats <= 3; beats++) {
      graph.toys.changes.beat();
      await settled(() => clients.every(({ received }) => received.length === 2 + beats));
    }
    const late = subscribe();
    await settled(() => late.received.length === 1);
    graph.toys.changes.beat();
    await settled(() => graph.gateway.live().upstreams === 1);
    for (let beats = 1; beats <= 3; beats++) {
      const before = late.received.length;
      graph.toys.changes.beat();
      await settled(() => late.received.length === before + 1);
    }
  });

  it('tells an event that a domain away cannot complete with a typed error, to everybody', async () => {
    const { changes, marketData } = graph.toys;
    subscribe();
    subscribe();
    await meet();
    marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    changes.upsert('p-0', 1);
    await settled(() => clients.every(({ received }) => received.length === 3));
    for (const { received } of clients) {
      expect(received[2]).toMatchObject({
        data: { positionChanges: { kind: 'UPSERT', position: { quantity: '1', instrument: { ticker: null } } } },
        errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' } }],
      });
    }
  });

  it('keeps the order of events whose completion takes different times', async () => {
    const { changes, marketData } = graph.toys;
    const { execute } = marketData;
    let asked = 0;
    marketData.execute = async (request) => {
      const turn = asked++;
      await new Promise((resolve) => setTimeout(resolve, (7 - (turn % 8)) * 3));
      return execute(request);
    };
    const client = subscribe();
    await settled(() => client.received.length === 1);
    for (let quantity = 1; quantity <= 40; quantity++) changes.upsert('p-0', quantity);
    await settled(() => client.received.length === 41);
    expect(client.quantities()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it('ends at its source when its last client leaves, whichever came first', async () => {
    const [first, second] = [subscribe(), subscribe()];
    await meet();
    first.leave();
    graph.toys.changes.upsert('p-0', 1);
    await settled(() => second.kinds().includes('UPSERT'));
    expect(first.kinds()).not.toContain('UPSERT');
    second.leave();
    await settled(() => graph.toys.changes.readers.size === 0);
  });

  it('leaves nothing behind after a storm of clients that come and go', async () => {
    const { changes } = graph.toys;
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 25; count++) subscribe();
      changes.upsert('p-0', round);
      if (round % 2 === 0) changes.progress();
      await new Promise((resolve) => setImmediate(resolve));
      for (const client of clients.splice(0, 20)) client.leave();
    }
    for (const client of clients.splice(0)) client.leave();
    await settled(() => changes.readers.size === 0);
    expect(graph.gateway.live()).toMatchObject(IDLE);
  });

  it('is one of so many at once', async () => {
    await graph.close();
    graph = await startToyGraph({ liveLimits: { subscriptions: 2 } });
    subscribe();
    subscribe();
    await settled(() => graph.gateway.live().members === 2);
    const refused = subscribe();
    await settled(() => refused.isOver());
    expect(refused.received).toMatchObject([
      {
        errors: [
          {
            message: 'The gateway carries at most 2 subscriptions at once. Try again later.',
            extensions: { code: 'LIMIT_EXCEEDED', limit: { name: 'subscriptions', max: 2 } },
          },
        ],
      },
    ]);
    clients[0]?.leave();
    await settled(() => graph.gateway.live().members === 1);
    const taken = subscribe();
    await settled(() => taken.received.length === 1);
  });
});
