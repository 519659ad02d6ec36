/**
 * A small ecosystem to look at: five instruments, a day of bars, three accounts, two strategies with their orders, fills
 * and positions, what is kept for the accounts in custody, and limits of risk. Made by the graph's own mutations, so that
 * it keeps every rule; loaded once, and continued where an earlier run was interrupted.
 */
import { DOMAINS, type Domain } from '../../platform/domains.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';
import { loadAccounts } from './accounts.ts';
import { loadCustody } from './custody.ts';
import { LAST_PRICES, loadMarket } from './market.ts';
import { mutate } from './mutate.ts';
import { isLoaded, loadBook, loadFilledOrders } from './orders.ts';
import { loadRisk } from './risk.ts';

/** @param domains those that the graph has */
export async function loadDemo(graph: GraphClient, log: Logger, domains: readonly Domain[] = DOMAINS): Promise<void> {
  const hasRisk = domains.includes('risk');
  if (await isLoaded(graph)) {
    if (hasRisk) await loadRisk(graph); // a demo of before risk was there
    return;
  }
  await loadMarket(graph, new Date());
  await loadAccounts(graph);
  await loadFilledOrders(graph);
  const at = new Date().toISOString();
  const marks = LAST_PRICES.map(({ symbol, price }) => ({ symbol, price, at }));
  await mutate(graph, { name: 'markPositions', inputType: 'MarkPositionsInput' }, { marks });
  if (domains.includes('custodian')) await loadCustody(graph);
  await loadBook(graph);
  if (hasRisk) await loadRisk(graph);
  log.info('the demo is loaded');
}
