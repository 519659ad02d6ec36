/** What a reader makes of a file's rows. */
import type { Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';

/** The market that a file was recorded on. */
export interface Market {
  /** Canonical symbol. */
  symbol: string;
  /** Lower-case name of the venue. */
  venue: string;
}

/** A file and what is known of it before it is read; `path` as the person named it. */
export type RecordedFile =
  | { kind: 'instruments'; path: string }
  | ({ kind: 'bars' | 'quotes'; path: string; interval: Interval } & Market)
  | ({ kind: 'trades' | 'order-books'; path: string } & Market)
  | ({ kind: 'order-book-messages'; path: string; depth: number } & Market);

/** One thing to store: a bar, a trade, a quote, an order book, an instrument's terms on a venue. */
export interface GoodItem<Input> {
  /** Line of its first row, from 1. */
  line: number;
  input: Input;
}

/** One thing that is not stored, and why. */
export interface BadItem {
  line: number;
  reason: string;
}

/** One thing that the recording repeats on purpose: what it says is known from the rows before. */
export interface RepeatedItem {
  line: number;
  repeated: true;
}

export type Item<Input> = GoodItem<Input> | BadItem | RepeatedItem;

/** What readers count on their way. */
export interface Remarks {
  /** Rows below the header, good or bad. */
  rows: number;
  /** Sizes that were rounded to 8 decimals. */
  roundedSizes: number;
}
