/** Domains that do not answer for a while. */
import { expect, it } from 'vitest';
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import { expectBoundedOrders, expectTrueBooks } from './books.ts';
import { clockAhead, demoGraph, recorded, simulate } from './support.ts';

const OF_TRADING = /tradingOrder|activeOrders|placeOrder|cancelOrder/;
const OF_EXCHANGE = /[eE]xchange(Account|Order|Balance)|placeExchangeOrder/;

it('prices go on while others are away; each trouble is said once; what was missed is caught up with', async () => {
  const clock = clockAhead();
  const graph = await demoGraph(clock);
  const away = new Map<string, RegExp>();
  const { client, sent } = recorded({
    ...graph.client,
    request<Data>(document: string, variables?: Record<string, unknown>) {
      for (const [domain, documents] of away) {
        if (documents.test(document)) return Promise.reject(refuse.domainUnavailable(domain));
      }
      return graph.client.request<Data>(document, variables);
    },
  } satisfies GraphClient);
  const said: string[] = [];
  const log = { info: (text: string) => said.push(text), warn: (_: object, text: string) => said.push(text) };
  const steps = simulate(clock, client, { log: log as unknown as Logger });
  await steps.run(20);

  const pricesBefore = sent.filter(({ name }) => name === 'ingestPrices').length;
  away.set('trading', OF_TRADING);
  await steps.run(15);
  away.set('exchange', OF_EXCHANGE);
  await steps.run(15);
  expect(sent.filter(({ name }) => name === 'ingestPrices').length).toBe(pricesBefore + 30);
  const troubles = said.filter((text) => text.includes('does not answer')).map((text) => text.split(':')[0]);
  expect(troubles.sort()).toEqual(['btc-trend', 'eth-reversion', 'market maker']);

  away.clear();
  await steps.run(45);
  expect(said.filter((text) => text.endsWith('goes on')).length).toBe(3);
  await expectTrueBooks(graph, steps);
  await expectBoundedOrders(graph);
});

it('waits where there is nothing to simulate', async () => {
  const said: string[] = [];
  const log = { info: () => {}, warn: (_: object, text: string) => said.push(text) };
  const empty = {
    request: (document: string) =>
      Promise.resolve(document.includes('instruments') ? { instruments: { nodes: [] } } : emptyAnswer),
  };
  await simulate(clockAhead(), empty as unknown as GraphClient, { log: log as unknown as Logger }).run(120);
  expect(said).toEqual([
    'prices: the graph has no market to simulate yet',
    'btc-trend: there is no such strategy yet',
    'eth-reversion: there is no such strategy yet',
  ]);
});

const emptyAnswer = {
  strategy: null,
  position: null,
  tradingOrders: { nodes: [] },
  openExchangeOrders: { nodes: [] },
};
