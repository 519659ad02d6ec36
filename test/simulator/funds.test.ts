/** Accounts that run short. */
import { expect, it } from 'vitest';
import { command } from '../../clients/simulator/commands.ts';
import type { Logger } from '../../platform/log.ts';
import { FUND, MARKET_MAKER } from '../../prisma/demo/accounts.ts';
import type { TestGraph } from '../support/graph.ts';
import { expectBoundedOrders, expectTrueBooks } from './books.ts';
import { clockAhead, demoGraph, recorded, simulate } from './support.ts';

/** Takes what the account has of US dollars, but for a few. */
async function impoverish({ client }: TestGraph, accountId: string): Promise<void> {
  const { exchangeBalanceOf } = await client.request<{ exchangeBalanceOf: { available: string } }>(
    `{ exchangeBalanceOf(accountId: "${accountId}", asset: "USD") { available } }`,
  );
  const amount = (Number(exchangeBalanceOf.available) - 20).toFixed(2);
  await command(client, 'withdraw', { accountId, asset: 'USD', amount });
}

it('skips the orders that it cannot pay, says so once, and goes on with the others', async () => {
  const clock = clockAhead();
  const graph = await demoGraph(clock);
  const { client, sent } = recorded(graph.client);
  const said: string[] = [];
  const log = { info: () => {}, warn: (_: object, text: string) => said.push(text) } as unknown as Logger;
  const steps = simulate(clock, client, { log });
  await steps.run(10); // the demo's own orders give way first, and with them what they had set aside
  for (const accountId of [MARKET_MAKER, FUND]) await impoverish(graph, accountId);
  const before = sent.length;
  await steps.run(45);

  const later = sent.slice(before);
  expect(later.filter(({ errors }) => errors.length > 0)).toEqual([]);
  const sides = (account: string) =>
    new Set(later.filter(({ input }) => input.accountId === account).map(({ input }) => input.side));
  expect(sides(MARKET_MAKER)).toContain('SELL');
  expect(said.filter((text) => text === 'market maker: too little USD for an order; it waits')).toHaveLength(1);
  expect(said.length).toBeLessThanOrEqual(3);
  await expectTrueBooks(graph, steps);
  await expectBoundedOrders(graph);
});
