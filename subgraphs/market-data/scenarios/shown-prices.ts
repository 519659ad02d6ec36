/**
 * What sources said, as it is shown to those who may not know that a scenario bends prices: bent like what was published, or
 * a look at the sources would give it away.
 */
import { dec, round8 } from '../../../platform/decimal.ts';
import type { Context } from '../context.ts';
import type { PriceFeedRow } from '../prices.ts';
import type { ConsensusPriceRow, SourcePriceRow } from '../sources/consensus-prices.ts';
import { bend, manipulationsAt, quoteOf, type Sighting } from './manipulations.ts';

/** The roles that see the truth. */
const KNOWING = ['auditor', 'tester'] as const;

const asked = new WeakMap<Context, Promise<boolean>>();

/** Whether the caller may know. A page of ticks asks often, and a token is verified once. */
function knowsTheTruth(context: Context): Promise<boolean> {
  const known = asked.get(context);
  if (known) return known;
  const answer = context.roles().then((roles) => KNOWING.some((role) => roles?.has(role)));
  asked.set(context, answer);
  return answer;
}

/** The prices of a tick. */
export interface ShownQuote {
  price: string;
  bid: string | null;
  ask: string | null;
}

/** The tick's prices as the caller may see them; ticks of one answer cost one statement. */
export async function shownQuote(context: Context, tick: PriceFeedRow): Promise<ShownQuote> {
  if (await knowsTheTruth(context)) return tick;
  const { symbol, timestamp } = tick;
  const manipulation = await context.batch('manipulationAt', { symbol, timestamp }, (seen: readonly Sighting[]) =>
    manipulationsAt(context.db, seen),
  );
  const { price, bid, ask } = bend(manipulation, quoteOf(tick), Date.parse(timestamp));
  return { price: price.toFixed(), bid: bid?.toFixed() ?? null, ask: ask?.toFixed() ?? null };
}

/** The sources' prices as the caller may see them: in the proportion in which the consensus is bent. */
export async function shownSources(
  context: Context,
  { price, agreedPrice }: Pick<ConsensusPriceRow, 'price' | 'agreedPrice'>,
  sources: SourcePriceRow[],
): Promise<SourcePriceRow[]> {
  if (price === agreedPrice || (await knowsTheTruth(context))) return sources;
  return sources.map((source) => ({
    ...source,
    price: round8(dec(source.price).times(price).div(agreedPrice)).toFixed(),
  }));
}
