import type { Decimal } from '../../../../platform/decimal.ts';
import type { Bar } from './bars.ts';

interface Entry {
  number: number;
  value: Decimal;
}

/** The highest high and the lowest low of the last bars, each bar looked at a bounded number of times. */
export class Extremes {
  private readonly size: number;
  private count = 0;
  /** Values that may still become the extreme, the extreme first. */
  private readonly highs: Entry[] = [];
  private readonly lows: Entry[] = [];

  constructor(size: number) {
    this.size = size;
  }

  add({ high, low }: Bar): void {
    const number = this.count++;
    push(this.highs, { number, value: high }, (kept) => kept.lte(high), this.size);
    push(this.lows, { number, value: low }, (kept) => kept.gte(low), this.size);
  }

  get isFull(): boolean {
    return this.count >= this.size;
  }

  get highest(): Decimal {
    return (this.highs[0] as Entry).value;
  }

  get lowest(): Decimal {
    return (this.lows[0] as Entry).value;
  }
}

function push(entries: Entry[], entry: Entry, isBeaten: (value: Decimal) => boolean, size: number): void {
  while (entries.length > 0 && isBeaten((entries.at(-1) as Entry).value)) entries.pop();
  entries.push(entry);
  if ((entries[0] as Entry).number <= entry.number - size) entries.shift();
}
