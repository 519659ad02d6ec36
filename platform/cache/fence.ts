/**
 * When the feed last touched what, in arrays of a fixed size. What was read before that is old. Rows that share a place by
 * chance make a value look old that is not, which costs one more read and is never wrong.
 */

const PLACES = 65_536;

export class Fence {
  /** Counts what has been touched here: a moment of this process. */
  moment = 0;
  private readonly moments = new Float64Array(PLACES);
  private readonly ticks = new Float64Array(PLACES);
  /** Commands of this process that have written there and that the feed has not brought yet. */
  private readonly held = new Uint32Array(PLACES);
  /** When a command last wrote there. */
  private readonly heldSince = new Float64Array(PLACES);
  /** Nothing is known of what happened before this tick. */
  private floor = Number.POSITIVE_INFINITY;

  begin(tick: number): void {
    this.floor = tick;
    this.ticks.fill(0);
    this.moments.fill(++this.moment);
  }

  touch(place: number, tick: number): void {
    this.ticks[place] = tick;
    this.moments[place] = ++this.moment;
  }

  /** Nothing of the place is current until it is released. */
  hold(place: number): void {
    this.held[place] = (this.held[place] as number) + 1;
    this.heldSince[place] = ++this.moment;
  }

  release(place: number): void {
    const held = this.held[place] as number;
    if (held > 0) this.held[place] = held - 1;
  }

  /** Whether a command has written there that the feed has not brought yet. */
  isHeld(place: number): boolean {
    return this.held[place] !== 0;
  }

  /** Whether what was read at that moment is what a read would find, as far as is known here. */
  isCurrent(place: number, moment: number): boolean {
    return this.held[place] === 0 && moment >= (this.moments[place] as number) && this.floor < Number.POSITIVE_INFINITY;
  }

  /** The same of a row that a command of this process has left at that moment: no other has written there since. */
  isCurrentOwn(place: number, moment: number): boolean {
    return moment >= (this.moments[place] as number) && moment >= (this.heldSince[place] as number);
  }

  /** The same of what shows everything up to that tick. */
  isCurrentAt(place: number, tick: number): boolean {
    return this.held[place] === 0 && tick >= this.floor && tick >= (this.ticks[place] as number);
  }
}

/** The place of the rows of a table that have this value in this column. */
export function placeOf(table: string, column: string, value: string): number {
  return (hash(value, hash(column, hash(table, 0x811c9dc5))) >>> 0) % PLACES;
}

/** FNV-1a over UTF-16 code units, and a unit that ends each text. */
function hash(text: string, start: number): number {
  let value = start;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ 0xffff, 0x01000193);
  return value ^ (value >>> 15);
}
