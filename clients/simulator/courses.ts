/** What the simulator makes of each market. Prices begin where the graph's tickers are. */

export interface Course {
  symbol: string;
  /** Standard deviation of a year's return, as a fraction. */
  annualVolatility: number;
  /** Half of what the price is away from its anchor is gone after this long. */
  halfLifeSeconds: number;
  /** A market of two others is anchored to the ratio of their prices; the others to the price they began with. */
  legs?: readonly [base: string, quote: string];
  /** What is usually traded in a print, in units of the base asset. */
  printQuantity: number;
  /** What the market maker offers nearest to the price, in units of the base asset; 0: it makes no market. */
  quoteQuantity: number;
}

const HOUR_SECONDS = 3_600;

/**
 * Half-lives of six hours keep the price within some 4 % of its anchor: a week of it stays in sight of the resting
 * orders of the demo.
 */
export const COURSES: readonly Course[] = [
  {
    symbol: 'BTC-USD',
    annualVolatility: 0.6,
    halfLifeSeconds: 6 * HOUR_SECONDS,
    printQuantity: 0.03,
    quoteQuantity: 0.04,
  },
  {
    symbol: 'ETH-USD',
    annualVolatility: 0.75,
    halfLifeSeconds: 6 * HOUR_SECONDS,
    printQuantity: 0.5,
    quoteQuantity: 0.8,
  },
  {
    symbol: 'SOL-USD',
    annualVolatility: 0.95,
    halfLifeSeconds: 6 * HOUR_SECONDS,
    printQuantity: 12,
    quoteQuantity: 0,
  },
  {
    symbol: 'ETH-BTC',
    annualVolatility: 0.2,
    halfLifeSeconds: 60,
    legs: ['ETH-USD', 'BTC-USD'],
    printQuantity: 0.4,
    quoteQuantity: 0,
  },
];

/** Name under which the simulator reports prices and bars. */
export const SOURCE = 'simulator';
