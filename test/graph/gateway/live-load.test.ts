/** Whatever happens at once, a client is told every change once, in order. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Follower, follow, settled } from './follow.ts';
import { type Chance, chance } from './random.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

const PLAIN = `subscription($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity } }
}`;
const COMPLETED = `subscription($after: String) {
  positionChanges(after: $after) { kind cursor position { positionId quantity instrument { symbol ticker { bid } } } }
}`;

let graph: ToyGraph;
afterEach(() => graph.close());

/** Changes are numbered from 1 on: their number is the quantity. */
function writer({ toys: { changes } }: ToyGraph, random: Chance) {
  let written = 0;
  return {
    written: () => written,
    write() {
      for (let count = random.one([0, 1, 1, 2, 5, 40]); count > 0; count--) changes.upsert('p-0', ++written);
      if (random.below(3) === 0) changes.progress();
    },
  };
}

/** After its snapshot, or what it began after, a client is told each number once. A RESYNC lets it begin anew. */
function expectWhole(client: Follower, begin: number): void {
  let last = begin;
  for (const { kind, position } of client.changes()) {
    const quantity = Number(position?.quantity);
    if (kind === 'SNAPSHOT') last = quantity;
    if (kind === 'UPSERT' && quantity !== ++last) throw new Error(`${quantity} was told where ${last} was to come`);
  }
}

/** Makes the market data toy answer late, each time differently late. */
function slowDown({ toys: { marketData } }: ToyGraph, random: Chance): void {
  const { execute } = marketData;
  marketData.execute = async (request) => {
    await delay(random.below(4));
    return execute(request);
  };
}

interface Live {
  client: Follower;
  /** Number of the change after which it begins. */
  begin: number;
}

describe.each([1, 2, 3, 4, 5, 6].map((seed) => ({ seed, transport: seed % 3 === 0 ? 'elsewhere' : 'in process' })))(
  'clients of a subgraph $transport (seed $seed)',
  ({ seed, transport }) => {
    it('miss nothing and get nothing twice, while they come, pause, go and come back, and the subgraph breaks', async () => {
      const random = chance(seed);
      graph = await startToyGraph({
        spreadOut: transport === 'elsewhere',
        liveLimits: { tailEntries: 60, tailBytes: 20_000, retainedBytes: 30_000 },
      });
      slowDown(graph, random);
      const { write, written } = writer(graph, random);
      const live: Live[] = [];
      const gone: Live[] = [];
      const join = (begin: number, after?: string) => {
        live.push({ client: follow(graph, random.one([PLAIN, COMPLETED]), { after }), begin });
      };
      write();
      for (let step = 0; step < 120; step++) {
        write();
        const some = live[random.below(live.length)];
        const act = random.below(20);
        if (act < 4 && live.length < 16) join(0);
        if (act === 5) some?.client.pause();
        if (act === 6 || act === 7) some?.client.resume();
        if (act === 8 && some) {
          some.client.leave();
          gone.push(some);
          live.splice(live.indexOf(some), 1);
          const last = some.client.changes().findLast(({ kind }) => kind === 'UPSERT' || kind === 'PROGRESS');
          if (last) join(some.client.quantities().at(-1) ?? 0, last.cursor);
        }
        if (act === 9 && random.below(4) === 0) graph.toys.changes.break();
        await delay(random.below(3));
      }
      for (const { client } of live) client.resume();
      await settled(() => live.every(({ client }) => client.kinds().length > 0));
      await delay(50);
      graph.toys.changes.upsert('p-0', written() + 1);
      await settled(() => live.every(({ client, begin }) => Math.max(begin, ...client.quantities()) === written() + 1));
      graph.toys.changes.progress();
      await settled(() => graph.gateway.live().upstreams === graph.gateway.live().groups);
      for (const { client, begin } of [...live, ...gone]) expectWhole(client, begin);
      expect(graph.gateway.live().groups).toBeLessThanOrEqual(2);
      for (const { client } of live) client.leave();
      await settled(() => graph.toys.changes.readers.size === 0);
      expect(graph.gateway.live()).toMatchObject({ members: 0, groups: 0, upstreams: 0, timers: 0, retainedBytes: 0 });
    });
  },
);
