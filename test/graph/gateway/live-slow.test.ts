/** Clients that take their events more slowly than they come. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventQueue, StreamCut } from '../../../gateway/transport/event-queue.ts';
import { type Follower, follow, settled } from './follow.ts';
import { startToyGraph, type ToyGraph, type ToyGraphOptions } from './toy-graph.ts';

const CHANGES = `subscription($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity } }
}`;

let graph: ToyGraph;
const clients: Follower[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.leave();
  await graph?.close();
});

/** Clients past their snapshots, on one stream. */
async function start(count: number, options: ToyGraphOptions): Promise<Follower[]> {
  graph = await startToyGraph(options);
  for (let index = 0; index < count; index++) clients.push(follow(graph, CHANGES));
  await settled(() => clients.every(({ kinds }) => kinds().length === 1));
  graph.toys.changes.progress();
  await settled(() => clients.every(({ kinds }) => kinds().length === 2) && graph.gateway.live().upstreams === 1);
  return clients;
}

/** Changes numbered on from the last. */
function write(count: number, from = 1): void {
  for (let quantity = from; quantity < from + count; quantity++) graph.toys.changes.upsert('p-0', quantity);
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe.each([
  { transport: 'in process', spreadOut: false },
  { transport: 'elsewhere', spreadOut: true },
])('a slow client of a subgraph $transport', ({ spreadOut }) => {
  it('holds up nobody, and what it has not taken is kept for it', async () => {
    const [slow, fast] = (await start(2, { spreadOut })) as [Follower, Follower];
    slow.pause();
    write(500);
    await settled(() => fast.quantities().length === 500);
    expect(slow.quantities().length).toBeLessThan(3);
    expect(graph.gateway.live()).toMatchObject({ upstreams: 1, opened: 2 });
    expect(graph.gateway.live().retainedBytes).toBeGreaterThan(0);
    slow.resume();
    await settled(() => slow.quantities().length === 500);
    expect(slow.quantities()).toEqual(upTo(500));
    expect(graph.gateway.live().retainedBytes).toBe(0);
  });

  it('that falls far behind goes on by its own, loses nothing and comes back', async () => {
    const [slow, fast] = (await start(2, { spreadOut, liveLimits: { tailEntries: 50 } })) as [Follower, Follower];
    slow.pause();
    write(500);
    await settled(() => fast.quantities().length === 500);
    expect(graph.gateway.live()).toMatchObject({ upstreams: 1, retainedBytes: 0 });
    slow.resume();
    await settled(() => slow.quantities().length === 500);
    write(1, 501);
    await settled(() => graph.gateway.live().upstreams === 1 && slow.quantities().length === 501);
    expect(slow.quantities()).toEqual(upTo(501));
    expect(graph.toys.changes.afters.slice(0, 2)).toEqual([undefined, undefined]);
    expect(graph.toys.changes.afters.length).toBeGreaterThan(2);
  });

  it('keeps no more text than a stream may', async () => {
    const [slow, fast] = (await start(2, { spreadOut, liveLimits: { tailBytes: 20_000 } })) as [Follower, Follower];
    slow.pause();
    for (let from = 1; from < 500; from += 50) {
      write(50, from);
      await settled(() => fast.quantities().length === from + 49);
      expect(graph.gateway.live().retainedBytes).toBeLessThanOrEqual(20_000);
    }
    slow.resume();
    await settled(() => slow.quantities().length === 500);
    expect(slow.quantities()).toEqual(upTo(500));
  });

  it('alone holds up its own stream only', async () => {
    const [slow] = (await start(1, { spreadOut })) as [Follower];
    slow.pause();
    write(5_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(graph.gateway.live().retainedBytes).toBeLessThan(20_000);
    slow.resume();
    await settled(() => slow.quantities().length === 5_000);
    expect(slow.quantities()).toEqual(upTo(5_000));
    expect(graph.gateway.live().upstreams).toBe(1);
  });

  it('gets a snapshot whole, however slowly it takes it', async () => {
    graph = await startToyGraph({ spreadOut });
    for (let row = 0; row < 2_000; row++) graph.toys.changes.upsert(`p-${row}`, row + 1);
    const slow = follow(graph, CHANGES);
    clients.push(slow);
    await settled(() => slow.received.length > 0);
    slow.pause();
    await new Promise((resolve) => setTimeout(resolve, 200));
    write(1_000, 2_001);
    slow.resume();
    await settled(() => slow.quantities().length === 3_000);
    expect(slow.quantities()).toEqual(upTo(3_000));
    expect(slow.kinds()).not.toContain('RESYNC');
  });
});

describe('all shared streams together', () => {
  it('keep no more text than they may, at the cost of the one that keeps most', async () => {
    graph = await startToyGraph({ liveLimits: { retainedBytes: 30_000 } });
    const streams = [0, 1, 2].map((number) => {
      const document = CHANGES.replace('cursor', `cursor stream${number}: at`);
      return [follow(graph, document), follow(graph, document)] as const;
    });
    clients.push(...streams.flat());
    await settled(() => clients.every(({ kinds }) => kinds().length === 1));
    graph.toys.changes.progress();
    await settled(() => clients.every(({ kinds }) => kinds().length === 2) && graph.gateway.live().upstreams === 3);
    for (const [slow] of streams) slow.pause();
    for (let from = 1; from < 300; from += 50) {
      write(50, from);
      await settled(() => streams.every(([, fast]) => fast.quantities().length === from + 49));
      expect(graph.gateway.live().retainedBytes).toBeLessThanOrEqual(30_000);
    }
    for (const [slow] of streams) slow.resume();
    await settled(() => clients.every(({ quantities }) => quantities().length === 300));
    for (const { quantities } of clients) expect(quantities()).toEqual(upTo(300));
  });
});

describe('events that nobody can hold back', () => {
  let isLeft = false;
  beforeEach(() => {
    isLeft = false;
  });
  const leave = () => {
    isLeft = true;
  };
  const queueOf = (mayBeCut?: (event: number) => boolean) => new EventQueue<number>({ leave, mayBeCut });

  it('are kept up to a bound, then the stream is cut, and whoever took them is told to open it again', async () => {
    const queue = queueOf(() => true);
    for (let event = 0; event < 5_000; event++) queue.push(event);
    expect(isLeft).toBe(true);
    const taken: number[] = [];
    await expect(
      (async () => {
        for await (const event of queue) taken.push(event);
      })(),
    ).rejects.toThrow(StreamCut);
    expect(taken).toEqual(Array.from({ length: 4_096 }, (_, index) => index));
  });

  it('are kept whole where the stream may not be cut', async () => {
    const queue = queueOf((event) => event >= 9_000);
    for (let event = 0; event < 10_000; event++) queue.push(event);
    expect(isLeft).toBe(true);
    for (let event = 0; event <= 9_000; event++) expect((await queue.next()).value).toBe(event);
    await expect(queue.next()).rejects.toThrow(StreamCut);
  });

  it('have an end even then', async () => {
    const queue = queueOf();
    for (let event = 0; event < 100_001; event++) queue.push(event);
    expect(isLeft).toBe(true);
    await queue.return();
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
