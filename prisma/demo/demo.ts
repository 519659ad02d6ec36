/**
 * A small ecosystem to look at: five instruments, a day of bars, three accounts, two strategies with their orders,
 * fills and positions, and what is kept for the accounts in custody. Made by the graph's own mutations, so that it keeps every rule; loaded once, and continued
 * where an earlier run was interrupted.
 */
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import { loadAccounts } from './accounts.ts';
import { loadCustody } from './custody.ts';
import { LAST_PRICES, loadMarket } from './market.ts';
import { mutate } from './mutate.ts';
import { isLoaded, loadBook, loadFilledOrders } from './orders.ts';
import { loadRisk } from './risk.ts';

export async function loadDemo(graph: GraphClient, log: Logger): Promise<void> {
  if (await isLoaded(graph)) {
    await loadRisk(graph); // a demo of before risk was there
    return;
  }
  await loadMarket(graph, new Date());
  await loadAccounts(graph);
  await loadFilledOrders(graph);
  const at = new Date().toISOString();
  const marks = LAST_PRICES.map(({ symbol, price }) => ({ symbol, price, at }));
  await mutate(graph, { name: 'markPositions', inputType: 'MarkPositionsInput' }, { marks });
  await loadCustody(graph);
  await loadBook(graph);
  await loadRisk(graph);
  log.info('the demo is loaded');
}
