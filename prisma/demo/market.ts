/** The demo's market: instruments, a day of one-minute bars, and the prices it ends on. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { mutate } from './mutate.ts';
import { walkBars } from './random-walk.ts';

const ASSETS = [
  { code: 'BTC', name: 'Bitcoin', kind: 'CRYPTO' },
  { code: 'ETH', name: 'Ether', kind: 'CRYPTO' },
  { code: 'SOL', name: 'Solana', kind: 'CRYPTO' },
  { code: 'USD', name: 'US dollar', kind: 'FIAT' },
  { code: 'USDT', name: 'Tether', kind: 'STABLECOIN' },
];

const INSTRUMENTS = [
  {
    symbol: 'BTC-USD',
    displayName: 'Bitcoin / US dollar',
    tickSize: '0.01',
    minOrderSize: '0.0001',
    maxOrderSize: '100',
    priceDecimals: 2,
  },
  {
    symbol: 'ETH-USD',
    displayName: 'Ether / US dollar',
    tickSize: '0.01',
    minOrderSize: '0.001',
    maxOrderSize: '1000',
    priceDecimals: 2,
  },
  {
    symbol: 'SOL-USD',
    displayName: 'Solana / US dollar',
    tickSize: '0.01',
    minOrderSize: '0.01',
    maxOrderSize: '10000',
    priceDecimals: 2,
  },
  {
    symbol: 'ETH-BTC',
    displayName: 'Ether / Bitcoin',
    tickSize: '0.00001',
    minOrderSize: '0.001',
    maxOrderSize: '1000',
    priceDecimals: 5,
  },
  {
    symbol: 'USDT-USD',
    displayName: 'Tether / US dollar',
    tickSize: '0.0001',
    minOrderSize: '1',
    maxOrderSize: '1000000',
    priceDecimals: 4,
    depegAlertThreshold: '0.02',
  },
];

/** What the market shows at the end of the demo's day. */
export const LAST_PRICES = [
  { symbol: 'BTC-USD', bid: '50995', ask: '51005', price: '51000' },
  { symbol: 'ETH-USD', bid: '2849.5', ask: '2850.5', price: '2850' },
  { symbol: 'SOL-USD', bid: '144.95', ask: '145.05', price: '145' },
  { symbol: 'ETH-BTC', bid: '0.05586', ask: '0.0559', price: '0.05588' },
  { symbol: 'USDT-USD', bid: '0.9997', ask: '0.9999', price: '0.9998' },
];

const SOURCE = 'demo';
const BARS_A_DAY = 1_440;
const WALKS = [
  { symbol: 'BTC-USD', seed: 1, lastCents: 5_100_000, stepCents: 2_500 },
  { symbol: 'ETH-USD', seed: 2, lastCents: 285_000, stepCents: 180 },
];

export async function loadMarket(graph: GraphClient, now: Date): Promise<void> {
  for (const asset of ASSETS) await mutate(graph, { name: 'defineAsset', inputType: 'DefineAssetInput' }, asset);
  for (const instrument of INSTRUMENTS) {
    await mutate(graph, { name: 'createInstrument', inputType: 'CreateInstrumentInput' }, instrument);
  }
  for (const walk of WALKS) await loadDay(graph, walk, now);
  const prices = LAST_PRICES.map((price) => ({ ...price, source: SOURCE, timestamp: now.toISOString() }));
  await mutate(graph, { name: 'ingestPrices', inputType: 'IngestPricesInput' }, { prices });
}

/** The day before `now`, unless a day is there already: a second one would overlap it with other prices. */
async function loadDay(graph: GraphClient, walk: (typeof WALKS)[number], now: Date): Promise<void> {
  const { symbol, ...course } = walk;
  const { latestCandle } = await graph.request<{ latestCandle: unknown }>(
    'query ($symbol: String!) { latestCandle(symbol: $symbol, interval: M1) { startTime } }',
    { symbol },
  );
  if (latestCandle) return;
  const end = new Date(now);
  end.setUTCSeconds(0, 0);
  const candles = walkBars({ ...course, bars: BARS_A_DAY, end }).map((bar) => ({
    ...bar,
    symbol,
    interval: 'M1',
    source: SOURCE,
  }));
  await mutate(graph, { name: 'ingestCandles', inputType: 'IngestCandlesInput' }, { candles });
}
