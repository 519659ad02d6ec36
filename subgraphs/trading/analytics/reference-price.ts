/** The price that an order is measured against: what the market last paid when the order was placed. */
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';

const LAST_PRICE = /* GraphQL */ `
  query LastPrice($symbol: String!) {
    ticker(symbol: $symbol) { lastPrice }
  }
`;

/** An order is not kept waiting longer for a figure that only a report needs. */
const PATIENCE_MS = 250;

/**
 * The instrument's last price: from memory where the instrument is held by anybody, else from market data. Null when it
 * has none, or market data does not answer at once; the order is placed all the same. To be asked before a transaction.
 */
export async function referencePriceOf(context: Context, symbol: string): Promise<string | null> {
  const name = spelled(symbol);
  if (name === null) return null;
  const known = context.service.marks.now().get(name);
  if (known) return known.price;
  const asked = context.graph
    .request<{ ticker: { lastPrice: string } | null }>(LAST_PRICE, { symbol: name })
    .then(({ ticker }) => ticker?.lastPrice ?? null)
    .catch((error: unknown) => {
      context.log.debug({ err: error, symbol: name }, 'an order is placed without a reference price');
      return null;
    });
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, null);
  });
  return Promise.race([asked, patience]).finally(() => clearTimeout(timer));
}

/** What is no symbol the command itself refuses. */
function spelled(symbol: string): string | null {
  try {
    return normaliseSymbol(symbol);
  } catch {
    return null;
  }
}
