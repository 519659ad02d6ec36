/** A desk whose risk the tests watch: two instruments with prices, an account with money, a strategy that trades. */
import { expect, vi } from 'vitest';
import type { Subgraph } from '../../../platform/subgraph.ts';
import type { TestGraph } from '../../support/graph.ts';
import { ACCOUNT, done } from '../trading/desk.ts';

export { ACCOUNT, ask, done, fault, refused, send, trade } from '../trading/desk.ts';

export const REFERENCE = `exchange:${ACCOUNT}`;

/** Instruments, the account with its balances, and an active strategy "desk". */
export async function openDesk(graph: TestGraph): Promise<void> {
  await graph.sql('market-data', `insert into assets (code) values ('BTC'), ('ETH'), ('USD')`);
  await graph.sql(
    'market-data',
    `insert into symbols (symbol, base_currency, quote_currency, display_name) values
       ('BTC-USD', 'BTC', 'USD', 'Bitcoin'), ('ETH-USD', 'ETH', 'USD', 'Ether')`,
  );
  await graph.sql('exchange', `insert into accounts (account_id, user_id, account_type) values ($1, 'alice', 'SPOT')`, [
    ACCOUNT,
  ]);
  // On a machine that is busy with others a database that has just begun may be taken for a silent one.
  await until(async () => {
    await done(graph, 'createStrategy', {
      strategyId: 'desk',
      name: 'Desk',
      type: 'CUSTOM',
      accountId: ACCOUNT,
      symbols: ['BTC-USD', 'ETH-USD'],
      idempotencyKey: 'desk',
    });
  });
  await done(graph, 'startStrategy', { strategyId: 'desk' });
}

/** A price of market data, a moment after every earlier one. */
export async function price(graph: TestGraph, symbol: string, value: string): Promise<void> {
  const prices = [{ symbol, price: value, source: 'test', timestamp: new Date().toISOString() }];
  const { errors } = await graph.run(
    `mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { errors { message } } }`,
    { input: { prices } },
  );
  expect(errors).toBeUndefined();
}

/** Everything that has moved until now has been looked at by the monitor. */
export async function looked(graph: TestGraph): Promise<void> {
  const risk = graph.subgraphs.get('risk') as Subgraph;
  const { service } = risk.createContext({}) as { service: { monitor: { settled(): Promise<void> } } };
  await service.monitor.settled();
}

/** Waits until what follows other domains has caught up, so that the assertions hold. */
export function until(assertions: () => Promise<void>): Promise<void> {
  return vi.waitFor(assertions, { timeout: 30_000, interval: 20 });
}
