/**
 * What has been read of a domain's tables: in this process, and in Redis where there is one. Nothing in it is older than
 * the feed has come here: whatever the feed has touched since a value was read is read again.
 *
 * Whoever reads from PostgreSQL notes first how far the feed has come. If it touches what he reads while he reads, what he
 * has found may be old, and is not kept. So no order of events leaves an old value in the cache.
 */
import { isUnreachable } from '../database/database-error.ts';
import type { TickPart } from '../feed/change.ts';
import { type Snapshot, sees } from '../feed/snapshot.ts';
import { escapeGlob, globMatcher } from '../repositories/glob.ts';
import { readBeforeFeed } from './before-feed.ts';
import { type Family, mayBeOld, type Reading } from './family.ts';
import { invalidatedBy } from './invalidation.ts';
import type { Held, RedisTier } from './redis-tier.ts';
import type { Sampler } from './sampler.ts';
import { type Slot, slotOf, ttlOf, Upkeep, versionOf } from './upkeep.ts';

export interface CacheOptions {
  /** For statistics and logs. @default none */
  domain?: string;
  /** Bytes of this process, about; 0 for none. @default DEFAULT_CACHE_BYTES */
  bytes?: number | undefined;
  redis?: RedisTier | undefined;
  /** Compares what is served with PostgreSQL now and then. */
  sampler?: Sampler | undefined;
}

/** How the cache has done since the start. */
export interface CacheStatistics {
  /** Values found in this process. */
  processHits: number;
  /** Values found in Redis. */
  redisHits: number;
  /** Values read from PostgreSQL. */
  misses: number;
  /** Values read from PostgreSQL because whoever asked wanted nothing older, or the feed did not say what is old. */
  bypasses: number;
  /** Values served while the database did not answer. */
  stale: number;
  entries: number;
  bytes: number;
  evictions: number;
  redisErrors: number;
  /** Times that what Redis holds did not join on and began anew. */
  redisGenerations: number;
  /** Values that were compared with PostgreSQL, and those of them that were stale. */
  sampled: number;
  foundStale: number;
}

/** The same for clients of the graph, who cannot count so far: whole numbers as text. */
export type CacheStatus = Record<Exclude<keyof CacheStatistics, 'entries'>, string> & {
  domain: string;
  entries: number;
};

export const DEFAULT_CACHE_BYTES = 64 * 1024 ** 2; // 64 MiB

/** PostgreSQL has so long to answer before what is known is told instead, where the feed is silent too. */
const PATIENCE_MS = 1_500;

/** PostgreSQL is asked again after this. */
const SILENCE_MS = 1_000; // 1 second

/** PostgreSQL takes long. */
class Silence extends Error {}

interface Flight {
  moment: number;
  value: Promise<unknown>;
}

export class Cache extends Upkeep {
  private readonly sampler: Sampler | undefined;
  private readonly flights = new Map<string, Flight>();
  private readonly domain: string;
  /** PostgreSQL did not answer; until then it is not asked for what is known. */
  private silentUntil = 0;
  private readonly counts = { processHits: 0, redisHits: 0, misses: 0, bypasses: 0, stale: 0 };

  constructor({ domain = '', bytes = DEFAULT_CACHE_BYTES, redis, sampler }: CacheOptions) {
    super(bytes, redis);
    this.domain = domain;
    this.sampler = sampler;
  }

  /**
   * The values of the keys, in their order. `read` gives them from PostgreSQL, at once for all that are not here.
   * @throws what `read` throws, unless the database is away and the cache has them
   */
  async read<Value>(
    family: Family<Value>,
    keys: readonly string[],
    read: (keys: readonly string[]) => Promise<readonly Value[]>,
    reading: Reading,
  ): Promise<Value[]> {
    const slots = keys.map((key) => slotOf(family, key));
    if (this.isOn && this.tables.size === 0)
      return (await readBeforeFeed(this.redis, family, slots, () => read(keys), reading)) as Value[];
    if (!this.isOn || !this.isFollowed(family)) return [...(await read(keys))];
    const values = this.mayServe(reading)
      ? await this.serve(family, slots, read, reading)
      : await this.bypass(family, slots, read, reading);
    return values as Value[];
  }

  override begin(epoch: string, tick: number, snapshot: Snapshot): void {
    super.begin(epoch, tick, snapshot);
    this.flights.clear();
  }

  statistics(): CacheStatistics {
    const { size: entries, bytes, evictions } = this.process;
    const { errors: redisErrors = 0, generations: redisGenerations = 0 } = this.redis ?? {};
    const { sampled = 0, stale: foundStale = 0 } = this.sampler ?? {};
    return { ...this.counts, entries, bytes, evictions, redisErrors, redisGenerations, sampled, foundStale };
  }

  /** The statistics as clients see them. */
  status(): CacheStatus {
    const { entries, ...counts } = this.statistics();
    const texts = Object.entries(counts).map(([name, count]) => [name, String(count)]);
    return { domain: this.domain, entries, ...Object.fromEntries(texts) } as CacheStatus;
  }

  /** Forgets the values whose names match, `*` standing for any text, here and in Redis. Gives how many were here. */
  async forget(pattern = '*'): Promise<number> {
    const count = this.forgetHere(pattern);
    await this.redis?.forget(globOf(pattern));
    return count;
  }

  /** Another process may have been asked to forget. */
  override take(part: TickPart): void {
    super.take(part);
    for (const change of part.changes) {
      const pattern = invalidatedBy(change);
      if (pattern !== null) this.forgetHere(pattern);
    }
  }

  /** The same in this process only. */
  forgetHere(pattern = '*'): number {
    const ids = [...this.process].map(([id]) => id).filter(globMatcher(globOf(pattern)));
    for (const id of ids) this.process.delete(id);
    this.flights.clear();
    return ids.length;
  }

  close(): void {
    this.redis?.close();
  }

  /** Whether what is here is known to be no older than the feed's lag, and new enough for whoever asks. */
  private mayServe({ isFresh, after }: Reading): boolean {
    const { hub } = this;
    if (isFresh || !hub?.isAlive(Date.now())) return false;
    return after.every((xid) => hub.snapshot !== null && sees(hub.snapshot, xid));
  }

  private async serve(
    family: Family<unknown>,
    slots: readonly Slot[],
    read: (keys: readonly string[]) => Promise<readonly unknown[]>,
    reading: Reading,
  ): Promise<unknown[]> {
    const found = new Map<string, unknown>();
    const now = Date.now();
    for (const { id, place } of slots) {
      const entry = this.process.get(id);
      if (entry && entry.expiresAt > now && this.isCurrent(place, entry)) found.set(id, entry.value);
    }
    this.counts.processHits += found.size;
    if (found.size > 0 && this.sampler?.isDue()) this.sample(slots, read);
    if (found.size === slots.length) return slots.map(({ id }) => found.get(id));

    let missing = slots.filter(({ id }) => !found.has(id));
    const held = await this.readRedis(family, missing, reading);
    if (held) {
      for (const [id, value] of held.values) found.set(id, value);
      this.counts.redisHits += held.values.size;
      missing = missing.filter(({ id }) => !found.has(id));
    }
    await this.readMissing(family, missing, read, reading, held?.generation, found);
    return slots.map(({ id }) => found.get(id));
  }

  private sample(slots: readonly Slot[], read: (keys: readonly string[]) => Promise<readonly unknown[]>): void {
    for (const { id, key, place } of slots) {
      const entry = this.process.peek(id);
      if (!entry || !this.fence.isCurrent(place, entry.moment)) continue;
      const isCurrent = () => this.fence.isCurrent(place, entry.moment);
      const drop = () => this.process.delete(id);
      void this.sampler?.look({ id, value: entry.value, read: async () => (await read([key]))[0], isCurrent, drop });
      return;
    }
  }

  private async readRedis(family: Family<unknown>, slots: readonly Slot[], reading: Reading) {
    if (!this.redis) return null;
    if (!this.redis.isUsable()) {
      reading.degrade({ store: 'REDIS', asOf: null });
      return null;
    }
    const { errors } = this.redis;
    const held = await this.redis.read(family.table, slots);
    if (!held && this.redis.errors > errors) reading.degrade({ store: 'REDIS', asOf: null });
    if (!held) return null;
    return { generation: held.generation, values: this.accept(family, slots, held) };
  }

  /** What may be used of what Redis has: nothing that this process knows to have been touched since. */
  private accept(family: Family<unknown>, slots: readonly Slot[], { epoch, tick, values }: Held) {
    const accepted = new Map<string, unknown>();
    if (epoch !== this.epoch) return accepted;
    for (const [i, slot] of slots.entries()) {
      const json = values[i];
      if (json === null || json === undefined || !this.fence.isCurrentAt(slot.place, tick)) continue;
      const value: unknown = JSON.parse(json);
      accepted.set(slot.id, value);
      this.keep(family, slot, value, this.fence.moment);
    }
    return accepted;
  }

  /** Reads from PostgreSQL what nobody is reading already, and keeps it. */
  private async readMissing(
    family: Family<unknown>,
    slots: readonly Slot[],
    read: (keys: readonly string[]) => Promise<readonly unknown[]>,
    reading: Reading,
    generation: string | undefined,
    found: Map<string, unknown>,
  ): Promise<void> {
    const flying: Promise<unknown>[] = [];
    const own: Slot[] = [];
    for (const slot of slots) {
      const flight = this.flights.get(slot.id);
      if (flight && this.fence.isCurrent(slot.place, flight.moment)) {
        flying.push(flight.value.then((value) => found.set(slot.id, value)));
      } else own.push(slot);
    }
    if (own.length > 0) {
      this.counts.misses += own.length;
      const { moment } = this.fence;
      const reads = this.readAndKeep(family, own, read, generation);
      for (const [i, { id }] of own.entries()) this.fly(id, { moment, value: reads.then((values) => values[i]) });
      const land = (values: readonly unknown[]) => {
        for (const [i, { id }] of own.entries()) found.set(id, values[i]);
      };
      flying.push(reads.then(land));
    }
    try {
      await Promise.all(flying);
    } catch (error) {
      await this.fallBack(family, slots, reading, error, found);
    }
  }

  private fly(id: string, flight: Flight): void {
    this.flights.set(id, flight);
    const land = () => {
      if (this.flights.get(id) === flight) this.flights.delete(id);
    };
    flight.value.then(land, land);
  }

  private async readAndKeep(
    family: Family<unknown>,
    slots: readonly Slot[],
    read: (keys: readonly string[]) => Promise<readonly unknown[]>,
    generation: string | undefined,
  ): Promise<readonly unknown[]> {
    const { tick, epoch } = this;
    const { moment } = this.fence;
    const values = await read(slots.map(({ key }) => key));
    if (epoch === '' || epoch !== this.epoch) return values;
    for (const [i, slot] of slots.entries()) this.keep(family, slot, values[i], moment);
    if (this.redis && generation !== undefined) {
      const entries = slots.map(({ id, place }, i) => {
        const value = values[i] ?? null;
        return { id, place, ttlMs: ttlOf(family, value), version: versionOf(value), json: JSON.stringify(value) };
      });
      void this.redis.store(generation, tick, family.table, entries);
    }
    return values;
  }

  /** PostgreSQL first: the feed does not say what is old, or whoever asks wants nothing that may be. */
  private async bypass(
    family: Family<unknown>,
    slots: readonly Slot[],
    read: (keys: readonly string[]) => Promise<readonly unknown[]>,
    reading: Reading,
  ): Promise<unknown[]> {
    this.counts.bypasses += slots.length;
    const found = new Map<string, unknown>();
    const isSilent = Date.now() < this.silentUntil;
    if (isSilent && (await this.recall(family, slots, reading, found))) return slots.map(({ id }) => found.get(id));
    const reads = this.readAndKeep(family, slots, read, undefined);
    try {
      return [...(await this.inTime(reads, reading))];
    } catch (error) {
      if (!(error instanceof Silence)) {
        await this.fallBack(family, slots, reading, error, found);
        return slots.map(({ id }) => found.get(id));
      }
      if (await this.recall(family, slots, reading, found)) return slots.map(({ id }) => found.get(id));
      return [...(await reads)];
    }
  }

  /** What is read, or Silence when whoever asks may be told something older and it takes long. */
  private async inTime<Value>(reads: Promise<Value>, reading: Reading): Promise<Value> {
    if (!mayBeOld(reading)) return reads;
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(reject, PATIENCE_MS, new Silence());
    reads.catch(() => undefined); // nobody may wait for it any more
    try {
      return await Promise.race([reads, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** While the database is away: what is known, which whoever asks is told is old. */
  private async fallBack(
    family: Family<unknown>,
    slots: readonly Slot[],
    reading: Reading,
    error: unknown,
    found: Map<string, unknown>,
  ): Promise<void> {
    if (!isUnreachable(error) || !(await this.recall(family, slots, reading, found))) throw error;
  }

  /** Finds what is known though the database does not answer; false where it is not all. */
  private async recall(
    family: Family<unknown>,
    slots: readonly Slot[],
    reading: Reading,
    found: Map<string, unknown>,
  ): Promise<boolean> {
    if (!mayBeOld(reading)) return false;
    const missing: Slot[] = [];
    for (const slot of slots) {
      if (found.has(slot.id)) continue;
      const entry = this.process.get(slot.id);
      if (entry && this.fence.isCurrent(slot.place, entry.moment)) found.set(slot.id, entry.value);
      else missing.push(slot);
    }
    let asOf = this.hub?.completeAt ?? 0;
    if (missing.length > 0) {
      const held = await this.redis?.read(family.table, missing);
      if (held) for (const [id, value] of this.accept(family, missing, held)) found.set(id, value);
      for (const { id } of missing) {
        if (found.has(id)) continue;
        const entry = this.process.peek(id);
        if (!entry) return false;
        found.set(id, entry.value); // changed since, nobody can say to what
        asOf = Math.min(asOf, entry.asOf);
      }
    }
    this.silentUntil = Date.now() + SILENCE_MS;
    this.counts.stale += slots.length;
    reading.degrade({ store: 'POSTGRESQL', asOf: new Date(asOf).toISOString() });
    return true;
  }
}

/** A glob in which nothing but `*` is special. */
function globOf(pattern: string): string {
  return pattern.split('*').map(escapeGlob).join('*');
}
