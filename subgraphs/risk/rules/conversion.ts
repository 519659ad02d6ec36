/** What assets are worth in USD at the prices that are known. */
import { type Decimal, dec } from '../../../platform/decimal.ts';

export interface Price {
  price: string;
  /** RFC 3339. */
  at: string;
}

/** By symbol. */
export type Prices = ReadonlyMap<string, Price>;

export const CURRENCY = 'USD';

/** Through which an asset is turned into USD that has no market of its own in it. */
const BRIDGES = ['USDT', 'USDC', 'BTC', 'ETH'] as const;

const ONE = dec(1);

/** USD for one unit of the asset; null where no known price says. A dollar that is a token is worth what its market says. */
export function usdRate(asset: string, prices: Prices, isBridge = false): Decimal | null {
  if (asset === CURRENCY) return ONE;
  const direct = prices.get(`${asset}-${CURRENCY}`);
  if (direct) return dec(direct.price);
  if (isBridge) return null;
  for (const bridge of BRIDGES) {
    const known = prices.get(`${asset}-${bridge}`);
    const rate = known && usdRate(bridge, prices, true);
    if (known && rate) return dec(known.price).times(rate);
  }
  return null;
}

/** Symbols whose prices may be needed to turn the asset into USD. */
export function symbolsFor(asset: string): string[] {
  if (asset === CURRENCY) return [];
  const direct = [`${asset}-${CURRENCY}`, ...BRIDGES.map((bridge) => `${asset}-${bridge}`)];
  return [...direct, ...BRIDGES.map((bridge) => `${bridge}-${CURRENCY}`)];
}

/** "BTC-USD-PERP" → BTC, USD. */
export function assetsOf(symbol: string): { base: string; quote: string } {
  const [base = '', quote = ''] = symbol.split('-');
  return { base, quote };
}

/** A price that is older makes what is computed with it stale. */
export const STALE_AFTER_MS = 300_000; // 5 minutes
