/** What waits for one client: bounded, and kept as its topic says. */
import type { Place } from './hub.ts';

export interface Waiting {
  key: string;
  place: Place;
}

/** Changes, or rows of a conflated topic, that wait for one client at most. */
export const OUTBOX_LIMIT = 1_000;

export interface Outbox<Item extends Waiting> {
  readonly size: number;
  /** False when it is full; then nothing was taken. */
  put(item: Item): boolean;
  /** The next item, or undefined when nothing waits. */
  take(): Item | undefined;
  clear(): void;
}

export function createOutbox<Item extends Waiting>(mode: 'conflated' | 'lossless'): Outbox<Item> {
  return mode === 'lossless' ? new Queue() : new Rounds();
}

class Queue<Item extends Waiting> implements Outbox<Item> {
  private items: Item[] = [];
  private first = 0;

  get size(): number {
    return this.items.length - this.first;
  }

  put(item: Item): boolean {
    if (this.size >= OUTBOX_LIMIT) return false;
    this.items.push(item);
    return true;
  }

  take(): Item | undefined {
    const item = this.items[this.first];
    if (item === undefined) return undefined;
    this.first++;
    if (this.first === this.items.length) this.clear();
    return item;
  }

  clear(): void {
    this.items = [];
    this.first = 0;
  }
}

/**
 * The latest change of each row, handed out in rounds: what waits when a round begins goes out in the order of its
 * places before anything newer, so that every row gets its turn and a cursor never steps back.
 */
class Rounds<Item extends Waiting> implements Outbox<Item> {
  private readonly waiting = new Map<string, Item>();
  private readonly round = new Queue<Item>();

  get size(): number {
    return this.round.size + this.waiting.size;
  }

  put(item: Item): boolean {
    if (!this.waiting.delete(item.key) && this.waiting.size >= OUTBOX_LIMIT) return false;
    this.waiting.set(item.key, item); // last in the map is last in the round
    return true;
  }

  take(): Item | undefined {
    if (this.round.size === 0) {
      for (const item of this.waiting.values()) this.round.put(item);
      this.waiting.clear();
    }
    return this.round.take();
  }

  clear(): void {
    this.waiting.clear();
    this.round.clear();
  }
}
