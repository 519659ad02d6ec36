/**
 * What is held of a domain's tables, in this process and in Redis where there is one, and how it is kept in step with the
 * feed: whatever the feed has touched since a value was read is void.
 */
import type { CapturedTables } from '../feed/captured-tables.ts';
import { type Image, type RowChange, readImage, type TickPart } from '../feed/change.ts';
import type { Hub } from '../feed/hub.ts';
import type { Mirror } from '../feed/mirror.ts';
import { type Snapshot, sees } from '../feed/snapshot.ts';
import type { BroadcastPart } from '../feed/tick-broadcast.ts';
import type { Family } from './family.ts';
import { Fence, placeOf } from './fence.ts';
import { OwnWrites, readOwnWrites, type Transactional } from './own-writes.ts';
import { type Entry, ProcessTier } from './process-tier.ts';
import type { Changed, RedisTier } from './redis-tier.ts';

/** A table of which more rows change in one part counts as touched whole in Redis. */
const TOUCHED_LIMIT = 200;

/** Families that are remembered as followed; clients may ask for more kinds of pages than that. */
const FAMILIES_LIMIT = 10_000;

/** Where a value of a family is held, and where the fence is touched when it changes. */
export interface Slot {
  key: string;
  id: string;
  place: number;
}

export abstract class Upkeep implements Mirror {
  protected readonly fence = new Fence();
  protected readonly process: ProcessTier;
  protected readonly redis: RedisTier | undefined;
  protected readonly isOn: boolean;
  protected hub: Pick<Hub, 'isAlive' | 'snapshot' | 'completeAt'> | null = null;
  protected tables: CapturedTables = new Map();
  protected epoch = '';
  /** Everything up to this tick has arrived here. */
  protected tick = 0;
  /** A part of the next tick has arrived. */
  private isWithinTick = false;
  private readonly ownWrites = new OwnWrites(this.fence);
  private readonly families = new Set<string>();
  private readonly rowFamilies = new Map<string, Family<unknown>[]>();

  constructor(bytes: number, redis: RedisTier | undefined) {
    this.isOn = bytes > 0;
    this.process = new ProcessTier(bytes);
    this.redis = redis;
  }

  /** The feed that it follows; before that it keeps nothing. */
  follow(hub: Pick<Hub, 'isAlive' | 'snapshot' | 'completeAt'>): void {
    this.hub = hub;
  }

  learn(tables: CapturedTables): void {
    this.tables = tables;
  }

  begin(epoch: string, tick: number, snapshot: Snapshot): void {
    this.epoch = epoch;
    this.tick = tick;
    this.isWithinTick = false;
    this.fence.begin(tick);
    this.process.clear();
    this.ownWrites.releaseSeen(snapshot);
  }

  take({ tick, changes, snapshot, isLast }: TickPart): void {
    const isWhole = isLast && !this.isWithinTick;
    this.isWithinTick = !isLast;
    for (const change of changes) this.apply(change, tick, snapshot, isWhole);
    if (!isLast) return;
    this.tick = tick;
    this.ownWrites.releaseSeen(snapshot);
  }

  lead(part: BroadcastPart): void {
    if (!this.redis || !this.isOn) return;
    const isWhole = part.after === 0 && part.isLast;
    const touched = new Set<number | string>();
    const changed: Changed[] = [];
    const sizes = Map.groupBy(part.changes, ({ relation }) => relation);
    for (const [table, changes] of sizes) {
      if (changes.length > TOUCHED_LIMIT) {
        touched.add(`all ${table}`);
        continue;
      }
      for (const change of changes) {
        for (const place of this.placesOf(change)) touched.add(place);
        if (!isWhole) continue;
        for (const family of this.rowFamilies.get(table) ?? []) {
          const { id, place } = slotOf(family, change.key);
          const json = change.op === 'D' ? '' : JSON.stringify(change.row);
          changed.push({ id, table, place, version: versionOf(change.row), json });
        }
      }
    }
    this.redis.apply(part, [...touched], changed);
  }

  rest(): void {
    if (this.isOn) this.redis?.assure();
  }

  /**
   * With the commit of a command, before it is answered: the number of its transaction. What it has written is read from
   * PostgreSQL in this process until the feed has brought it.
   */
  async expect(tx: Transactional): Promise<number> {
    const { xid, writes } = await readOwnWrites(tx);
    if (this.isOn && writes)
      this.ownWrites.hold(
        xid,
        writes.flatMap((write) => [...this.placesOf(write)]),
      );
    return xid;
  }

  /**
   * The same of a transaction that is committed by now, and of which the rows are known: images as the log has them. They
   * are served from here though the feed has not brought them yet.
   */
  expectRows(xid: number, relation: string, keys: readonly string[], images: readonly string[]): void {
    const table = this.tables.get(relation);
    if (!this.isOn || !table || (this.hub?.snapshot && sees(this.hub.snapshot, xid))) return;
    // A part of a tick may have brought a later state of the row already.
    const families = this.isWithinTick ? [] : (this.rowFamilies.get(relation) ?? []);
    const rows = images.map((image) => readImage(image, table));
    const slots = families.flatMap((family) =>
      rows.map((row) => ({ family, row, slot: slotOf(family, String(row[table.key])) })),
    );
    const last = slots.filter(({ slot }) => this.isLastKnown(slot));
    this.ownWrites.hold(
      xid,
      keys.map((key) => placeOf(relation, table.key, key)),
    );
    for (const { family, row, slot } of last) this.keepOwn(family, slot, row, xid);
  }

  /** Whether what is held of the row is all that commands here have made of it: one that is answered late may be older. */
  private isLastKnown({ id, place }: Slot): boolean {
    const known = this.process.peek(id);
    return !this.fence.isHeld(place) || this.isCurrentOwn(place, known);
  }

  private keepOwn(family: Family<unknown>, { id, place }: Slot, row: Image, ownXid: number): void {
    const known = this.process.peek(id);
    if (known && versionOf(known.value) > versionOf(row)) return; // it is newer, or of a row that was removed since
    const asOf = this.hub?.completeAt ?? 0;
    const expiresAt = Date.now() + ttlOf(family, row);
    this.process.set(id, { value: row, place, moment: this.fence.moment, ownXid, asOf, expiresAt });
  }

  /** Whether the entry is what a read would find, as far as is known here. */
  protected isCurrent(place: number, entry: Entry): boolean {
    return this.fence.isCurrent(place, entry.moment) || this.isCurrentOwn(place, entry);
  }

  private isCurrentOwn(place: number, entry: Entry | undefined): boolean {
    return entry?.ownXid !== undefined && this.fence.isCurrentOwn(place, entry.moment);
  }

  /** Holds what was read at that moment of the fence, unless it has been touched since. */
  protected keep(family: Family<unknown>, { id, place }: Slot, value: unknown, moment: number): void {
    if (!this.fence.isCurrent(place, moment)) return;
    const asOf = this.hub?.completeAt ?? 0;
    this.process.set(id, { value, place, moment, asOf, expiresAt: Date.now() + ttlOf(family, value) });
  }

  /**
   * A change makes void what is made of its row; the row itself is replaced where it is held. Not in the middle of a
   * tick: its transaction may have changed the row again, and what it was in between was never committed.
   */
  private apply(change: RowChange, tick: number, snapshot: Snapshot, isWhole: boolean): void {
    const held = (this.rowFamilies.get(change.relation) ?? []).map((family) => {
      const { id, place } = slotOf(family, change.key);
      const entry = this.process.peek(id);
      return {
        id,
        entry,
        isCurrent: entry !== undefined && this.isCurrent(place, entry),
        isAhead: this.isAhead(place, entry, snapshot),
      };
    });
    for (const place of this.placesOf(change)) this.fence.touch(place, tick);
    const { moment } = this.fence;
    for (const { id, entry, isCurrent, isAhead } of held) {
      if (!entry) continue;
      if (isAhead) this.process.set(id, { ...entry, moment });
      else if (change.op === 'D' || !isWhole) this.process.delete(id);
      else {
        const isNewer = isCurrent && versionOf(entry.value) > versionOf(change.row);
        this.process.set(id, { ...entry, value: isNewer ? entry.value : change.row, ownXid: undefined, moment });
      }
    }
  }

  /**
   * Whether a command here has left the row as it is held after all that the snapshot sees. Versions do not tell: a row
   * that was removed and comes again begins with the first.
   */
  private isAhead(place: number, entry: Entry | undefined, snapshot: Snapshot): boolean {
    return this.isCurrentOwn(place, entry) && !sees(snapshot, entry?.ownXid as number);
  }

  /** Where the fence is touched by a change: its row, and whatever has it in one of its lists, now or before. */
  private *placesOf({
    relation,
    key,
    row,
    was,
  }: Pick<RowChange, 'relation' | 'key' | 'row' | 'was'>): Generator<number> {
    const table = this.tables.get(relation);
    if (!table) return;
    yield placeOf(relation, table.key, key);
    for (const route of table.routes) {
      yield placeOf(relation, route, String(row[route]));
      if (was && route in was) yield placeOf(relation, route, String(was[route]));
    }
  }

  /** Whether the feed tells what becomes of the family's values. */
  protected isFollowed(family: Family<unknown>): boolean {
    if (this.families.has(family.name)) return true;
    const table = this.tables.get(family.table);
    if (!table || (family.column !== table.key && !table.routes.includes(family.column))) return false;
    if (this.families.size < FAMILIES_LIMIT) this.families.add(family.name);
    if (family.isRow && family.column === table.key) {
      const known = this.rowFamilies.get(family.table) ?? [];
      if (!known.some(({ name }) => name === family.name)) this.rowFamilies.set(family.table, [...known, family]);
    }
    return true;
  }
}

export function slotOf(family: Family<unknown>, key: string): Slot {
  return { key, id: `${family.name}:${key}`, place: placeOf(family.table, family.column, key) };
}

/** The row's version, or 0 of what has none. */
export function versionOf(value: unknown): number {
  const version = (value as { version?: unknown } | null)?.version;
  return typeof version === 'number' ? version : 0;
}

/** Absences are believed for a short time only. */
const ABSENT_TTL_MS = 5_000; // 5 seconds

/** With some chance in it, so that what was read together does not expire together. */
export function ttlOf(family: Family<unknown>, value: unknown): number {
  const ttlMs = value === null || value === undefined ? ABSENT_TTL_MS : family.ttlMs;
  return Math.round(ttlMs * (0.9 + Math.random() * 0.2));
}
