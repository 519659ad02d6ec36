/** Limits of the demo, and the daily bars that its value at risk is made of. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { LAST_PRICES } from './market.ts';
import { mutate } from './mutate.ts';

const AUTHOR = 'demo';

/** The sample limits of the specification (domain.md §5.5), in USD, shares and units. */
const LIMITS = [
  { type: 'NOTIONAL', scope: { symbol: 'BTC-USD' }, direction: 'LONG', threshold: '5000000' },
  { type: 'NOTIONAL', scope: { symbol: 'BTC-USD' }, direction: 'SHORT', threshold: '2500000' },
  { type: 'NOTIONAL', scope: { symbol: 'ETH-USD' }, direction: 'LONG', threshold: '3000000' },
  { type: 'NOTIONAL', scope: { symbol: 'ETH-USD' }, direction: 'SHORT', threshold: '1500000' },
  { type: 'NOTIONAL', threshold: '2000000' },
  { type: 'CONCENTRATION', scope: { symbol: 'BTC-USD' }, threshold: '0.3' },
  { type: 'CONCENTRATION', scope: { symbol: 'ETH-USD' }, threshold: '0.25' },
  { type: 'TOTAL_EXPOSURE', threshold: '10000000' },
  { type: 'DAILY_LOSS', threshold: '500000' },
  { type: 'DRAWDOWN', threshold: '0.15' },
  { type: 'VAR', threshold: '750000' },
  { type: 'LEVERAGE', threshold: '3' },
  { type: 'DELTA', scope: { asset: 'BTC' }, threshold: '15' },
  { type: 'DELTA', scope: { asset: 'ETH' }, threshold: '250' },
  { type: 'DELTA', scope: { asset: 'USD' }, threshold: '5000000' },
];

const MADE = /* GraphQL */ `
  query DemoLimits { riskLimits(first: 1) { nodes { limitId } } }
`;

/** Sets the limits where there are none. The loosest come first, so that none waits for a second person. */
export async function loadRisk(graph: GraphClient): Promise<void> {
  const { riskLimits } = await graph.request<{ riskLimits: { nodes: object[] } }>(MADE);
  if (riskLimits.nodes.length > 0) return;
  await loadDailyBars(graph, new Date());
  for (const limit of LIMITS) {
    await mutate(graph, { name: 'setRiskLimit', inputType: 'SetRiskLimitInput' }, { ...limit, by: AUTHOR });
  }
}

const DAYS = 60;
const DAY_MS = 86_400_000;

/** Moves of a day in thousandths, again and again; the last bar ends two days ago, before the bars of minutes begin. */
const MOVES = [12, -18, 7, -31, 15, -4, 9, -11, 3, -42, 14, -9, 2, 24, -8, 6, -3, 5, -22, 17];

async function loadDailyBars(graph: GraphClient, now: Date): Promise<void> {
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  for (const [offset, symbol] of ['BTC-USD', 'ETH-USD'].entries()) {
    const last = LAST_PRICES.find((one) => one.symbol === symbol)?.price ?? '1';
    let close = Number(last) * 100;
    const candles = Array.from({ length: DAYS }, (_, i) => {
      const open = Math.round((close * 1_000) / (1_000 + (MOVES[(i + 7 * offset) % MOVES.length] ?? 0)));
      const bar = {
        symbol,
        interval: 'D1',
        startTime: new Date(midnight - (i + 3) * DAY_MS).toISOString(),
        open: inUnits(open),
        high: inUnits(Math.max(open, close)),
        low: inUnits(Math.min(open, close)),
        close: inUnits(close),
        volume: '1000',
        source: 'demo',
      };
      close = open;
      return bar;
    });
    await mutate(graph, { name: 'ingestCandles', inputType: 'IngestCandlesInput' }, { candles });
  }
}

/** Whole hundredths as an amount. */
function inUnits(hundredths: number): string {
  const text = String(hundredths).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}
