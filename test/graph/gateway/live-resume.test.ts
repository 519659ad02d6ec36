/** Where a client begins, and how it goes on when something breaks on the way. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Follower, follow, settled } from './follow.ts';
import { startToyGraph, type ToyGraph, type ToyGraphOptions } from './toy-graph.ts';

const CHANGES = `subscription($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity } }
}`;

let graph: ToyGraph;
const clients: Follower[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.leave();
  await graph.close();
});

async function start(options: ToyGraphOptions = {}): Promise<void> {
  graph = await startToyGraph(options);
}

function subscribe(after?: string): Follower {
  const client = follow(graph, CHANGES, { after });
  clients.push(client);
  return client;
}

describe.each([
  { transport: 'in process', spreadOut: false },
  { transport: 'elsewhere', spreadOut: true },
])('a client of a subgraph $transport', ({ spreadOut }) => {
  it('begins with its own snapshot, whatever others are told meanwhile', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const first = subscribe();
    await settled(() => first.kinds().length === 1);
    changes.progress();
    await settled(() => first.kinds().length === 2);
    changes.upsert('p-0', 1);
    changes.upsert('p-1', 2);
    await settled(() => first.kinds().length === 4);
    const second = subscribe();
    await settled(() => second.kinds().length === 3);
    changes.upsert('p-0', 3);
    changes.progress();
    await settled(() => second.kinds().length === 5 && graph.gateway.live().upstreams === 1);
    changes.upsert('p-0', 4);
    await settled(() => second.quantities().length === 4 && first.quantities().length === 4);
    expect(second.kinds()).toEqual(['SNAPSHOT', 'SNAPSHOT', 'PROGRESS', 'UPSERT', 'PROGRESS', 'UPSERT']);
    expect(second.quantities()).toEqual([1, 2, 3, 4]);
    expect(first.quantities()).toEqual([1, 2, 3, 4]);
  });

  it('gets exactly what followed its cursor', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const first = subscribe();
    await settled(() => first.kinds().length === 1);
    changes.progress();
    for (let quantity = 1; quantity <= 9; quantity++) changes.upsert('p-0', quantity);
    await settled(() => first.quantities().length === 9);
    const cursor = first.changes().find(({ position }) => position?.quantity === '4')?.cursor;
    const second = subscribe(cursor);
    await settled(() => second.quantities().length === 5);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1);
    changes.upsert('p-0', 10);
    await settled(() => second.quantities().length === 6);
    expect(second.quantities()).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('goes on by the shared stream at once when that has all that followed its cursor', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const first = subscribe();
    await settled(() => first.kinds().length === 1);
    changes.progress();
    changes.upsert('p-0', 1);
    await settled(() => first.quantities().length === 1);
    const second = subscribe(first.changes().at(-1)?.cursor);
    await settled(() => graph.gateway.live().members === 2);
    changes.upsert('p-0', 2);
    await settled(() => second.quantities().length === 1);
    expect(second.quantities()).toEqual([2]);
    expect(changes.afters).toEqual([undefined]);
  });

  it('has its own judge of a cursor that nobody has come to', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const first = subscribe();
    await settled(() => first.kinds().length === 1);
    changes.progress();
    await settled(() => first.kinds().length === 2);
    subscribe('a1.99');
    await settled(() => changes.afters.length === 2);
    expect(changes.afters).toEqual([undefined, 'a1.99']);
  });

  it.each(['a1.1.1', 'b2.7', 'a1.snapshot', 'nonsense'])(
    'is told to begin anew when nobody can go on from its cursor: %s',
    async (after) => {
      await start({ spreadOut });
      const { changes } = graph.toys;
      changes.upsert('p-0', 1);
      changes.trim();
      const client = subscribe(after);
      await settled(() => client.kinds().length === 3);
      expect(client.kinds()).toEqual(['RESYNC', 'SNAPSHOT', 'PROGRESS']);
    },
  );

  it('does not notice that its subgraph was away for a while', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const [first, second] = [subscribe(), subscribe()];
    await settled(() => first.kinds().length === 1 && second.kinds().length === 1);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1 && second.kinds().length === 2);
    changes.upsert('p-0', 1);
    await settled(() => first.quantities().length === 1 && second.quantities().length === 1);
    changes.isAway = true;
    changes.break();
    await settled(() => changes.afters.length > 3);
    changes.upsert('p-0', 2);
    changes.isAway = false;
    await settled(() => second.quantities().length === 2);
    changes.upsert('p-0', 3);
    await settled(() => first.quantities().length === 3 && second.quantities().length === 3);
    for (const client of clients) {
      expect(client.quantities()).toEqual([1, 2, 3]);
      expect(client.received.some(({ errors }) => errors)).toBe(false);
    }
    expect(new Set(changes.afters.slice(2))).toEqual(new Set(['a1.2.1']));
    expect(graph.gateway.live()).toMatchObject({ upstreams: 1, timers: 0 });
  });

  it('is told, with everybody, when what broke cannot be gone on with', async () => {
    await start({ spreadOut });
    const { changes } = graph.toys;
    const [first, second] = [subscribe(), subscribe()];
    await settled(() => first.kinds().length === 1 && second.kinds().length === 1);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1 && second.kinds().length === 2);
    changes.upsert('p-0', 1);
    changes.trim();
    changes.break();
    await settled(() => first.kinds().includes('SNAPSHOT') && second.kinds().includes('SNAPSHOT'));
    changes.progress();
    changes.upsert('p-0', 2);
    await settled(() => first.quantities().at(-1) === 2 && second.quantities().at(-1) === 2);
    expect(
      first
        .kinds()
        .slice(2)
        .filter((kind) => kind !== 'PROGRESS'),
    ).toEqual(
      first.quantities().length === 3 ? ['UPSERT', 'RESYNC', 'SNAPSHOT', 'UPSERT'] : ['RESYNC', 'SNAPSHOT', 'UPSERT'],
    );
    expect(second.kinds()).toEqual(first.kinds());
    const third = subscribe();
    await settled(() => third.kinds().length === 2);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1);
  });

  it('is told in the end that its domain is away', async () => {
    await start({ spreadOut, liveLimits: { retryMs: 300 } });
    const { changes } = graph.toys;
    const [first, second] = [subscribe(), subscribe()];
    await settled(() => first.kinds().length === 1 && second.kinds().length === 1);
    changes.progress();
    await settled(() => graph.gateway.live().upstreams === 1);
    changes.isAway = true;
    changes.break();
    await settled(() => first.isOver() && second.isOver());
    for (const { received } of clients) {
      expect(received.at(-1)).toMatchObject({
        errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'trading' } }],
      });
    }
    expect(graph.gateway.live()).toMatchObject({ members: 0, groups: 0, upstreams: 0, timers: 0 });
  });

  it('is told at once when it begins while its domain is away', async () => {
    await start({ spreadOut });
    graph.toys.changes.isAway = true;
    const client = subscribe();
    await settled(() => client.isOver());
    expect(client.received).toMatchObject([{ errors: [{ extensions: { code: 'DOMAIN_UNAVAILABLE' } }] }]);
    expect(graph.gateway.live()).toMatchObject({ members: 0, upstreams: 0 });
  });

  it('is told at once what its subgraph refuses', async () => {
    await start({ spreadOut });
    graph.toys.changes.refusal = 'accountId must be a UUID';
    const client = subscribe();
    await settled(() => client.isOver());
    expect(client.received).toMatchObject([
      { errors: [{ message: 'accountId must be a UUID', extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    expect(graph.gateway.live()).toMatchObject({ members: 0, upstreams: 0 });
  });
});
