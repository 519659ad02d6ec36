/** A simulator that is killed in the midst of its commands, and another that takes up what it left. */
import { expect, it } from 'vitest';
import type { GraphClient } from '../../platform/graph-client.ts';
import { FUND } from '../../prisma/demo/accounts.ts';
import { expectBoundedOrders, expectTrueBooks } from './books.ts';
import { type Clock, clockAhead, commandOf, demoGraph, simulate } from './support.ts';

const ORDER_COMMANDS = ['placeOrder', 'cancelOrder'];

interface Mortal extends GraphClient {
  isDead(): boolean;
}

interface Death {
  /** At the first command of that name about a strategy's order. */
  name: string;
  /** Whether the command was carried out, and only its answer did not come back. */
  wasSent: boolean;
}

/** A way to the graph that ends there. */
function dyingAt(client: GraphClient, death: Death): Mortal {
  let isDead = false;
  return {
    ...client,
    isDead: () => isDead,
    async request<Data>(document: string, variables?: Record<string, unknown>) {
      if (!isDead && isOfStrategy(document, variables, death)) {
        isDead = true;
        if (death.wasSent) await client.request(document, variables);
      }
      if (isDead) throw new Error('killed');
      return client.request<Data>(document, variables);
    },
  };
}

function isOfStrategy(document: string, variables: Record<string, unknown> = {}, { name }: Death): boolean {
  const { accountId = FUND } = (variables.input ?? {}) as { accountId?: string };
  return commandOf(document) === name && accountId === FUND;
}

/** Runs a simulator until it is killed. */
async function liveAndDie(clock: Clock, client: GraphClient, seed: number, death: Death): Promise<void> {
  const mortal = dyingAt(client, death);
  await simulate(clock, mortal, { seed }).run(300, mortal.isDead);
  expect({ ...death, died: mortal.isDead() }).toEqual({ ...death, died: true });
}

const TIMEOUT_MS = 240_000; // four minutes: orders rest for a minute of the clock before they are cancelled

it('loses no fill and records none twice, wherever it was killed', { timeout: TIMEOUT_MS }, async () => {
  const clock = clockAhead();
  const graph = await demoGraph(clock);
  const deaths = ORDER_COMMANDS.map((name, at) => ({ name, wasSent: at === 0 }));
  for (const [seed, death] of deaths.entries()) await liveAndDie(clock, graph.client, seed, death);
  const survivor = simulate(clock, graph.client);
  await survivor.run(30);
  await expectTrueBooks(graph, survivor);
  await expectBoundedOrders(graph);
  const pending = await graph.sql('trading', `select order_id from orders where status in ('pending', 'submitted')`);
  expect(pending).toEqual([]);
});

it('goes on with the bar and the sequence that an earlier run left', async () => {
  const clock = clockAhead();
  clock.nowMs += 60_000 - (clock.nowMs % 60_000);
  const graph = await demoGraph(clock);
  await simulate(clock, graph.client).run(21);
  await simulate(clock, graph.client).run(21);
  const [bar] = await graph.sql(
    'market-data',
    `select num_trades, volume, is_closed from candles
      where symbol = 'SOL-USD' and "interval" = '1m' and source = 'simulator'`,
  );
  const [ticks] = await graph.sql(
    'market-data',
    `select count(*)::int as n, max(sequence)::int as last, sum(quantity) as volume from price_feeds
      where symbol = 'SOL-USD' and source = 'simulator'`,
  );
  expect(ticks).toMatchObject({ n: 42, last: 42 });
  // The first run had reported 21 of its ticks; the second reports them with its own.
  expect(bar).toEqual({ num_trades: 42, volume: ticks.volume, is_closed: false });
});
