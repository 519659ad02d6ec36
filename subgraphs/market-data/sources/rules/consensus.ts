/** The price on which several sources agree, and how far it is to be trusted (domain.md §2.5). */
import { type Decimal, dec, round8, sum } from '../../../../platform/decimal.ts';
import { STALE_AFTER_MS } from './source-state.ts';

/** The newest price of a source. */
export interface SourceQuote {
  source: string;
  /** 1 is the first. */
  priority: number;
  price: Decimal;
  /** Volume of 24 hours as it reported it; null when it did not. */
  volume: Decimal | null;
  atMs: number;
}

export interface Consensus {
  /** Rounded half-even to 8 places. */
  price: Decimal;
  /** 0 to 1, to 4 places. */
  confidence: Decimal;
  /** Sources whose prices it is made of. */
  sourceCount: number;
  /** Sources that were left out since they lie too far from the others. */
  outliers: string[];
}

/** With fewer sources nobody can say which of them errs. */
const SOURCES_TO_JUDGE = 3;
const MAX_DEVIATIONS = 2;
/** A relative deviation of one percent halves the confidence. */
const AGREEMENT_SCALE = 100;

/**
 * The mean of the fresh quotes, weighted by volume over priority, without those beyond two standard deviations where
 * three or more are fresh; null when none is. A volume that is not known counts as the mean of those that are.
 * Confidence is the product of the share of the sources that speak and are believed, of 1 ÷ (1 + 100 × their relative
 * deviation), and of how many of three they are.
 */
export function consensusOf(quotes: readonly SourceQuote[], nowMs: number): Consensus | null {
  const fresh = quotes.filter(({ atMs }) => nowMs - atMs <= STALE_AFTER_MS);
  if (fresh.length === 0) return null;
  const believed = fresh.length < SOURCES_TO_JUDGE ? fresh : withoutOutliers(fresh);
  const weights = weightsOf(believed);
  const total = sum(weights);
  const price = round8(sum(believed.map((quote, i) => quote.price.times(weights[i] ?? 0))).dividedBy(total));
  const share = dec(believed.length).dividedBy(quotes.length);
  const deviation = deviationOf(believed.map((quote) => quote.price)).dividedBy(price);
  const agreement = dec(1).dividedBy(deviation.times(AGREEMENT_SCALE).plus(1));
  const breadth = dec(Math.min(believed.length, SOURCES_TO_JUDGE)).dividedBy(SOURCES_TO_JUDGE);
  const outliers = fresh.filter((quote) => !believed.includes(quote)).map(({ source }) => source);
  const confidence = share.times(agreement).times(breadth).toDecimalPlaces(4);
  return { price, confidence, sourceCount: believed.length, outliers: outliers.sort() };
}

/**
 * Each quote is judged by the mean and deviation of the others: among few, an outlier widens the deviation of all so
 * much that it would never lie beyond it. Equal others have no deviation; then a tenth of a percent is forgiven.
 */
function withoutOutliers(quotes: readonly SourceQuote[]): SourceQuote[] {
  const kept = quotes.filter((quote) => {
    const others = quotes.filter((other) => other !== quote).map(({ price }) => price);
    const mean = sum(others).dividedBy(others.length);
    const tolerance = deviationOf(others).times(MAX_DEVIATIONS);
    const least = mean.times(LEAST_TOLERANCE);
    const limit = tolerance.greaterThan(least) ? tolerance : least;
    return !quote.price.minus(mean).abs().greaterThan(limit);
  });
  return kept.length > 0 ? kept : [...quotes];
}

const LEAST_TOLERANCE = '0.001';

function weightsOf(quotes: readonly SourceQuote[]): Decimal[] {
  const volumes = quotes.flatMap(({ volume }) => (volume?.greaterThan(0) ? [volume] : []));
  const usual = volumes.length === 0 ? dec(1) : sum(volumes).dividedBy(volumes.length);
  return quotes.map(({ volume, priority }) => (volume?.greaterThan(0) ? volume : usual).dividedBy(priority));
}

/** Of the whole population. */
function deviationOf(values: readonly Decimal[]): Decimal {
  const mean = sum(values).dividedBy(values.length);
  return sum(values.map((value) => value.minus(mean).pow(2)))
    .dividedBy(values.length)
    .sqrt();
}

/** After this an earlier consensus says nothing of the price now. */
const MEMORY_MS = 1_000; // 1 second

/** The consensus moved towards the new one by the share of the memory that has passed: quicker jumps are smoothed. */
export function smooth(previous: { price: Decimal; atMs: number } | null, price: Decimal, atMs: number): Decimal {
  if (previous === null) return price;
  const share = Math.max(atMs - previous.atMs, 1) / MEMORY_MS;
  if (share >= 1) return price;
  return round8(previous.price.plus(price.minus(previous.price).times(share)));
}
