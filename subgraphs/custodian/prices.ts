/** What assets are worth in US dollars, by market data's last prices. */
import { type Decimal, dec, round8 } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Context } from './context.ts';

const LAST_PRICES = /* GraphQL */ `
  query LastPrices($symbols: [String!]!) {
    instruments(filter: { symbols: $symbols }, first: 500) { nodes { symbol ticker { lastPrice } } }
  }
`;

interface LastPrices {
  instruments: { nodes: { symbol: string; ticker: { lastPrice: string | null } | null }[] } | null;
}

/** Symbols of one request. */
const SYMBOLS_LIMIT = 500;

export const DOLLAR = 'USD';

/**
 * US dollars a unit of each asset that has a price: of its pair with USD, one for USD itself.
 * @throws Refusal (domain unavailable) when market data does not answer
 */
export async function readUsdPrices(graph: GraphClient, assets: readonly string[]): Promise<Map<string, Decimal>> {
  const prices = new Map<string, Decimal>([[DOLLAR, dec(1)]]);
  const others = [...new Set(assets)].filter((asset) => asset !== DOLLAR && asset.length >= 2 && asset.length <= 12);
  for (let start = 0; start < others.length; start += SYMBOLS_LIMIT) {
    const symbols = others.slice(start, start + SYMBOLS_LIMIT).map((asset) => `${asset}-${DOLLAR}`);
    const { instruments } = await graph.request<LastPrices>(LAST_PRICES, { symbols });
    for (const { symbol, ticker } of instruments?.nodes ?? []) {
      if (ticker?.lastPrice) prices.set(symbol.slice(0, -DOLLAR.length - 1), dec(ticker.lastPrice));
    }
  }
  return prices;
}

/** The asset's price, or null; those asked for in one tick cost one request. */
export function usdPriceOf(context: Context, asset: string): Promise<string | null> {
  return context.batch('usdPrice', asset, async (assets) => {
    const prices = await readUsdPrices(context.graph, assets);
    return assets.map((code) => prices.get(code)?.toFixed() ?? null);
  });
}

/** Quantity × price, rounded half-even to 8 places. */
export function usdValue(quantity: Decimal, price: Decimal): Decimal {
  return round8(quantity.times(price));
}
