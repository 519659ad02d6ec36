import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { list, open } from './floor.ts';
let graph: TestGraph;
const S = ['BTC-USD', 'ETH-USD', 'ETH-BTC'];
const P: Record<string, number> = { 'BTC-USD': 100, 'ETH-USD': 50, 'ETH-BTC': 0.5 };
beforeAll(async () => { graph = await startGraph({ poolSize: 10 }); for (const s of S) await list(graph, s, { tickSize: '0.01' }); });
afterAll(() => graph.close());
it('bench', async () => {
  const accounts: string[] = [];
  for (let i = 0; i < 50; i++) accounts.push(await open(graph, { USD: '100000', BTC: '1000', ETH: '1000' }));
  const N = Number(process.env.OPS ?? 60);
  const doc = `mutation P($input: PlaceExchangeOrderInput!) { placeExchangeOrder(input: $input) { order { orderId status } errors { code message } } }`;
  const counts: Record<string, number> = {};
  const cpu = process.cpuUsage(); const t = performance.now();
  await Promise.all(accounts.map(async (accountId, i) => {
    for (let n = 0; n < N; n++) {
      const symbol = S[(i + n) % 3] as string;
      const side = Math.random() < 0.5 ? 'BUY' : 'SELL';
      const price = (P[symbol] as number) + Math.round((Math.random() - 0.5) * 10) / 100;
      const r = await graph.subgraph('exchange', doc, { input: { accountId, symbol, side, type: 'LIMIT', quantity: (Math.random() + 0.1).toFixed(4), price: price.toFixed(2) } });
      const k = r.errors?.[0]?.message ?? r.data.placeExchangeOrder.errors[0]?.code ?? r.data.placeExchangeOrder.order.status;
      counts[k] = (counts[k] ?? 0) + 1;
    }
  }));
  const s = (performance.now() - t) / 1000; const c = process.cpuUsage(cpu);
  console.log(counts, 'orders/s', (50 * N / s).toFixed(0), 'node cpu ms/order', ((c.user + c.system) / 1000 / 50 / N).toFixed(2), 'trades', await graph.sql('exchange', 'select count(*) from trades'));
  expect(await audit(graph)).toEqual({});
});
