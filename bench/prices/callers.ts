/** Callers that send one price after the other, each of one instrument, and what became of the prices. */
import { type Latency, percentiles } from '../live/percentiles.ts';
import { symbolOf } from './database.ts';

export interface Calling {
  callers: number;
  seconds: number;
}

export interface Called {
  perSecond: number;
  /** From a call to its answer. */
  answered: Latency;
  /** From a call to the subscriber. */
  heard: Latency;
  /** From a call until PostgreSQL has committed it. */
  stored: Latency;
  /** Prices that were answered and that PostgreSQL did not have when the callers stopped. */
  unstored: number;
}

/** One price as callers send it. */
export interface Price {
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  price: string;
}

/** What has been sent and not yet been heard of, by symbol. */
export class Outstanding {
  private readonly sent = new Map<string, { price: number; at: number }[]>();
  private times: number[] = [];

  send(symbol: string, price: number): void {
    const prices = this.sent.get(symbol) ?? [];
    this.sent.set(symbol, prices);
    prices.push({ price, at: performance.now() });
  }

  /** Somebody has this price of the symbol, and so all before it. */
  arrive(symbol: string, price: number): void {
    const prices = this.sent.get(symbol) ?? [];
    while (prices[0] && prices[0].price <= price) this.times.push(performance.now() - (prices.shift()?.at ?? 0));
  }

  get count(): number {
    return [...this.sent.values()].reduce((sum, prices) => sum + prices.length, 0);
  }

  /** Since the last look. */
  look(): Latency {
    const latency = percentiles(this.times);
    this.times = [];
    return latency;
  }
}

/** Time for what is under way to get to the subscriber and into PostgreSQL. */
const SETTLE_MS = 500;

let sequence = 0;

/** @param ingest resolves with the answer */
export async function call(
  { callers, seconds }: Calling,
  ingest: (price: Price) => Promise<unknown>,
  { heard, stored }: { heard: Outstanding; stored: Outstanding },
): Promise<Called> {
  const times: number[] = [];
  const until = performance.now() + seconds * 1_000;
  const startedAt = performance.now();
  const caller = async (n: number) => {
    const symbol = symbolOf(n);
    while (performance.now() < until) {
      sequence++;
      heard.send(symbol, sequence);
      stored.send(symbol, sequence);
      const start = performance.now();
      const timestamp = new Date().toISOString();
      await ingest({ symbol, source: 'bench', timestamp, sequence: String(sequence), price: String(sequence) });
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, n) => caller(n)));
  const perSecond = times.length / ((performance.now() - startedAt) / 1_000);
  const unstored = stored.count;
  while (heard.count + stored.count > 0) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { perSecond, answered: percentiles(times), heard: heard.look(), stored: stored.look(), unstored };
}
