/**
 * One upstream that is told to every member. It runs at the pace of its fastest member: what slower ones have not taken
 * is kept within bounds, and whoever falls behind that leaves the group.
 */
import { setImmediate as nextRound } from 'node:timers/promises';
import { type Cursor, compareCursors } from '../../platform/feed/cursor.ts';
import type { LiveCounters } from './counters.ts';
import type { Entry, Pipeline } from './pipeline.ts';

/** A reader of the group's events. The group keeps its state here. */
export interface Reader {
  /** Whose entries are kept for it; undefined when it has fallen behind or left. */
  group: Group | undefined;
  /** Number of the entry that it takes next. */
  position: number;
  /** Whether it is told the next entry as soon as there is one. */
  isWaiting: boolean;
  /** Whether the reader has not had the entry by other ways. */
  wants(entry: Entry): boolean;
  take(entry: Entry): void;
}

export interface GroupParts {
  pipeline: Pipeline;
  counters: LiveCounters;
  /** Entries kept at most. */
  tailEntries: number;
  /** Text kept at most. */
  tailBytes: number;
  /** Called when more is kept than before. */
  onKeep(): void;
  /** Called when nobody is left, and after the last event. */
  onOver(group: Group): void;
}

/** Entries that are read ahead of every member. */
const READ_AHEAD = 32;

/** Entries that are told before anything else in the process has its turn. */
const ROUND = 16;

export class Group {
  readonly #parts: GroupParts;
  readonly #readers = new Set<Reader>();
  /** Entries that somebody has not taken, oldest first. */
  readonly #tail: Entry[] = [];
  /** Number of the first entry of the tail. */
  #first = 0;
  /** Whoever has everything up to here has missed nothing that the tail does not hold. */
  #floor: Cursor | null;
  /** Of the last event that was told; null where it cannot be compared. */
  #head: Cursor | null;
  #bytes = 0;
  /** Readers that have everything. */
  #waiting = 0;
  #wake: (() => void) | undefined;
  #isOver = false;

  /** @param place of the last event that the pipeline told before */
  constructor(parts: GroupParts, place: Cursor) {
    this.#parts = parts;
    this.#floor = place;
    this.#head = place;
    parts.counters.groups++;
    void this.#run();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it has been at the place, and has everything since at hand. */
  covers(place: Cursor): boolean {
    const head = this.#head;
    return this.#joinsOn(place) && head?.epoch === place.epoch && compareCursors(place, head) <= 0;
  }

  /** Lets the reader go on from a place that it has come to, if everything since is at hand or still to come. */
  join(reader: Reader, place: Cursor): boolean {
    if (!this.#joinsOn(place)) return false;
    this.#add(reader, this.#first);
    return true;
  }

  /** Keeps what comes from now on for a reader that will join when it has got so far by its own. */
  hold(reader: Reader): void {
    this.#add(reader, this.#first + this.#tail.length);
  }

  /** Tells the reader its next entry, now or when there is one. */
  pull(reader: Reader): void {
    let entry = this.#pass(reader);
    while (entry && !reader.wants(entry)) entry = this.#pass(reader);
    if (entry) {
      reader.take(entry);
      return;
    }
    reader.isWaiting = true;
    this.#waiting++;
    this.#wake?.();
  }

  leave(reader: Reader): void {
    if (!this.#readers.delete(reader)) return;
    reader.group = undefined;
    if (reader.isWaiting) this.#waiting--;
    reader.isWaiting = false;
    this.#count(reader.position, -1);
    this.#trim();
    if (this.#readers.size === 0) this.#end();
  }

  /** Leaves the slowest readers to themselves, and forgets what was kept for them. */
  evictSlowest(): void {
    const kept = this.#first + Math.ceil(this.#tail.length / 4);
    for (const reader of this.#readers) if (reader.position < kept) this.leave(reader);
  }

  #joinsOn(place: Cursor): boolean {
    const floor = this.#floor;
    return floor?.epoch === place.epoch && compareCursors(floor, place) <= 0;
  }

  /** Moves the reader over its next entry, if there is one. */
  #pass(reader: Reader): Entry | undefined {
    const entry = this.#tail[reader.position - this.#first];
    if (!entry) return undefined;
    reader.position++;
    entry.waiting--;
    this.#trim();
    return entry;
  }

  #add(reader: Reader, position: number): void {
    if (this.#readers.has(reader)) this.#count(reader.position, -1);
    this.#readers.add(reader);
    reader.group = this;
    reader.position = position;
    this.#count(position, +1);
    this.#trim();
  }

  #count(position: number, change: number): void {
    for (let at = position - this.#first; at < this.#tail.length; at++) (this.#tail[at] as Entry).waiting += change;
  }

  async #run(): Promise<void> {
    for (let told = 1; !this.#isOver; told++) {
      const entry = await this.#parts.pipeline.next();
      if (!entry) return;
      this.#tell(entry);
      if (told % ROUND === 0) await nextRound();
      if (this.#isAhead()) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }

  #isAhead(): boolean {
    if (this.#waiting > 0 || this.#isOver) return false;
    return this.#tail.length >= READ_AHEAD || this.#bytes >= this.#parts.tailBytes / 2;
  }

  #tell(entry: Entry): void {
    const takers: Reader[] = [];
    if (entry.kind !== undefined) this.#head = entry.place;
    entry.waiting = this.#readers.size;
    for (const reader of this.#readers) {
      if (!reader.isWaiting) continue;
      reader.position++;
      entry.waiting--;
      if (reader.wants(entry)) takers.push(reader);
    }
    this.#keep(entry);
    for (const reader of takers) {
      this.#waiting--;
      reader.isWaiting = false;
      reader.take(entry);
    }
    if (entry.isLast) this.#end();
  }

  #keep(entry: Entry): void {
    const { counters, tailEntries, tailBytes } = this.#parts;
    this.#tail.push(entry);
    this.#bytes += entry.result.text.length;
    counters.retainedBytes += entry.result.text.length;
    this.#trim();
    while (this.#tail.length > tailEntries || this.#bytes > tailBytes) this.evictSlowest();
    if (this.#tail.length > 0) this.#parts.onKeep();
  }

  #trim(): void {
    let taken = 0;
    while (this.#tail[taken]?.waiting === 0) taken++;
    if (taken === 0) return;
    for (const entry of this.#tail.splice(0, taken)) {
      this.#first++;
      this.#bytes -= entry.result.text.length;
      this.#parts.counters.retainedBytes -= entry.result.text.length;
      this.#forget(entry);
    }
  }

  #forget({ kind, place }: Entry): void {
    // Progress is nothing that anybody misses; what has no kind is no change.
    if (kind === undefined || (kind === 'PROGRESS' && this.#floor)) return;
    this.#floor = place;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.pipeline.close();
    this.#parts.counters.groups--;
    this.#parts.onOver(this);
    this.#wake?.();
  }
}
