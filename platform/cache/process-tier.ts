/**
 * Cached values of this process. When they take too many bytes the oldest are given up, those that were used meanwhile
 * after another round: a use only marks its value, which costs a read next to nothing.
 */

export interface Entry {
  /** A row, a list, or null where there is none. Shared by all who read it, who leave it as it is. */
  readonly value: unknown;
  /** Place of the fence at which what it is made of is touched. */
  readonly place: number;
  /** Moment of the fence at which it was read. */
  readonly moment: number;
  /** The command of this process that has left the row so, by its transaction, until the feed has brought it. */
  readonly ownXid?: number | undefined;
  /** Everything committed until then is in it, in milliseconds since 1970, though it be void by now. */
  readonly asOf: number;
  /** Milliseconds of this process's clock; afterwards it serves only while the database is away. */
  readonly expiresAt: number;
  readonly bytes: number;
}

interface Held extends Entry {
  /** Since it was last passed over. */
  isUsed: boolean;
}

/** What an entry costs beside its value, about. */
const ENTRY_BYTES = 200;

/** One value takes no more than this part of all: a huge one would drive out thousands that are asked for. */
const SHARE = 1 / 8;

export class ProcessTier {
  bytes = 0;
  evictions = 0;
  private readonly entries = new Map<string, Held>();
  private readonly limit: number;

  /** @param limit bytes, about */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.size;
  }

  get(id: string): Entry | undefined {
    const entry = this.entries.get(id);
    if (entry) entry.isUsed = true;
    return entry;
  }

  /** The entry, without counting as a use of it. */
  peek(id: string): Entry | undefined {
    return this.entries.get(id);
  }

  set(id: string, { value, ...rest }: Omit<Entry, 'bytes'>): void {
    const bytes = ENTRY_BYTES + id.length + sizeOf(value);
    const isUsed = this.entries.get(id)?.isUsed ?? false;
    this.delete(id);
    if (bytes > this.limit * SHARE) return;
    this.entries.set(id, { value, ...rest, bytes, isUsed });
    this.bytes += bytes;
    if (this.bytes > this.limit) this.evict();
  }

  private evict(): void {
    for (const [id, entry] of this.entries) {
      if (this.bytes <= this.limit) return;
      this.delete(id);
      if (entry.isUsed) {
        this.entries.set(id, { ...entry, isUsed: false }); // comes once more in this very loop
        this.bytes += entry.bytes;
      } else this.evictions++;
    }
  }

  delete(id: string): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.bytes -= entry.bytes;
    this.entries.delete(id);
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  /** The entries, about those first that nobody has used for longest. */
  [Symbol.iterator](): IterableIterator<[string, Entry]> {
    return this.entries.entries();
  }
}

/** Bytes that the value takes, about. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  for (const part of Object.values(value)) bytes += 8 + sizeOf(part);
  return bytes;
}
