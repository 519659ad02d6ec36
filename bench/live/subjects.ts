/** What subscribers of the benchmark follow, at the graph and at the plain server, and how the writer changes it. */
import type { Domain } from '../../platform/domains.ts';

export interface Subject {
  domain: Domain;
  /** The subscription's only root field. */
  field: string;
  document: string;
  /** Variables of who follows the topic: an account or a symbol. */
  variables(topic: string): Record<string, unknown>;
  /** The moment at which the event's row was sent by its writer. */
  stampOf(event: Record<string, never>): string | undefined;
  /** The captured table, which the graph follows, and one of the same shape with NOTIFY in its trigger. */
  table: string;
  plainTable: string;
  stampColumn: string;
  keyColumn: string;
}

type Positioned = { position: { quantity: string } | null };
type Priced = { ticker: { lastPrice: string } | null };

const positions = {
  domain: 'trading',
  field: 'positionChanges',
  variables: (accountId: string) => ({ accountId }),
  stampOf: (event: unknown) => (event as Positioned).position?.quantity,
  table: 'positions',
  plainTable: 'bench_plain_positions',
  stampColumn: 'quantity',
  keyColumn: 'position_id',
} as const;

const prices = {
  domain: 'market-data',
  field: 'priceChanges',
  variables: (symbol: string) => ({ symbols: [symbol] }),
  stampOf: (event: unknown) => (event as Priced).ticker?.lastPrice,
  table: 'tickers',
  plainTable: 'bench_plain_tickers',
  stampColumn: 'last_price',
  keyColumn: 'symbol',
} as const;

const positionsOf = (selection: string) =>
  `subscription Positions($accountId: ID!) {
    positionChanges(accountId: $accountId) { kind cursor position { ${selection} } }
  }`;

export const SUBJECTS = {
  /** What trading knows by itself. */
  positions: { ...positions, document: positionsOf('positionId quantity') },
  /** With the price that market data knows. */
  enriched: { ...positions, document: positionsOf('positionId quantity instrument { symbol ticker { lastPrice } }') },
  /** Events of some kilobytes. */
  noted: { ...positions, document: positionsOf('positionId quantity notes') },
  /** With what trading knows of the instrument. */
  prices: {
    ...prices,
    document: `subscription Prices($symbols: [String!]!) {
      priceChanges(symbols: $symbols, minIntervalMs: 0) {
        kind cursor ticker { lastPrice instrument { symbol positions(first: 1) { totalCount } } }
      }
    }`,
  },
} satisfies Record<string, Subject>;

export type SubjectName = keyof typeof SUBJECTS;
