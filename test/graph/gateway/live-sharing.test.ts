/** Clients that ask for the same changes share what it takes to tell them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { follow, settled } from './follow.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

const CHANGES = `subscription Changes($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity instrument { symbol ticker { bid } } } }
}`;

describe('a shared stream', () => {
  let graph: ToyGraph;
  beforeEach(async () => {
    graph = await startToyGraph();
  });
  afterEach(() => graph.close());

  it('is one subscription, one completion and one text an event for all its clients', async () => {
    const { changes, marketData } = graph.toys;
    changes.upsert('p-0', 1);
    const clients = Array.from({ length: 20 }, () => follow(graph, CHANGES));
    await settled(() => clients.every(({ kinds }) => kinds().length === 2));
    expect(changes.readers.size).toBe(20);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1);
    expect(changes.readers.size).toBe(1);

    const before = { asked: marketData.requests.length, told: graph.gateway.live().events };
    for (let quantity = 2; quantity <= 11; quantity++) changes.upsert('p-0', quantity);
    await settled(() => clients.every(({ received }) => received.length === 13));
    expect(marketData.requests.length - before.asked).toBe(10);
    expect(graph.gateway.live()).toMatchObject({ events: before.told + 10, groups: 1, upstreams: 1, members: 20 });
    for (const client of clients) {
      expect(client.kinds()).toEqual(['SNAPSHOT', 'PROGRESS', 'PROGRESS', ...Array(10).fill('UPSERT')]);
      expect(client.received.at(-1)).toBe(clients[0]?.received.at(-1));
    }
    for (const client of clients) client.leave();
    await settled(() => changes.readers.size === 0);
    expect(graph.gateway.live()).toMatchObject({ members: 0, groups: 0, upstreams: 0, timers: 0, retainedBytes: 0 });
  });
});
