/**
 * Several processes with a cache each, over one Redis and one table. What would happen at any time in between (a look at
 * rows, an answer on its way, a tick that arrives, what the leader tells Redis) happens when a schedule says so.
 */
import { Redis } from 'ioredis';
import { Cache } from '../../../platform/cache/cache.ts';
import type { Family, Reading } from '../../../platform/cache/family.ts';
import { type Changed, type Held, type Kept, RedisTier } from '../../../platform/cache/redis-tier.ts';
import { Hub } from '../../../platform/feed/hub.ts';
import type { BroadcastPart } from '../../../platform/feed/tick-broadcast.ts';
import { createLogger } from '../../../platform/log.ts';
import type { RedisServer } from '../../support/redis.ts';
import { type Item, ModelDatabase, TABLES, type Write } from './model.ts';

const log = createLogger({ level: 'silent', service: 'test' });

/** Runs one thing at a time, each when its turn has come. */
export type Step = <Value>(label: string, work: () => Value | Promise<Value>) => Promise<Value>;

export const ROW: Family<Item | null> = {
  name: 'entity:Item',
  table: 'items',
  column: 'id',
  isRow: true,
  ttlMs: 300_000,
};
export const LIST: Family<Item[]> = { name: 'list:Items', table: 'items', column: 'parentId', ttlMs: 300_000 };

/** Bytes of each process: two of them keep nothing themselves, so that they read Redis. */
const PROCESSES = [1_000_000, 1, 1];

export interface Read {
  of: 'row' | 'list';
  keys: readonly string[];
  /** Whether it must show what every command has done so far. */
  isAfterCommands: boolean;
}

/** A cache in Redis whose commands wait for their turn. */
export class SteppedTier extends RedisTier {
  step: Step = async (_, work) => work();
  /** How many of the next applications never reach Redis. */
  lost = 0;
  private applying = Promise.resolve();

  override async read(table: string, entries: readonly { id: string; place: number }[]): Promise<Held | null> {
    const held = await this.step('Redis reads', () => super.read(table, entries));
    await this.step('what Redis has read arrives', () => undefined);
    return held;
  }

  override store(generation: string, tick: number, table: string, entries: readonly Kept[]): Promise<number> {
    return this.step('Redis stores', () => super.store(generation, tick, table, entries));
  }

  override apply(part: BroadcastPart, touched: readonly (number | string)[], changed: readonly Changed[]): void {
    const { step } = this;
    const work = async () => {
      if (this.lost > 0) {
        this.lost--;
        return;
      }
      super.apply(part, touched, changed);
      await super.read('items', [{ id: 'none', place: 0 }]); // answered after what was sent before
    };
    this.applying = this.applying.then(() => step('Redis applies', work));
  }

  /** Everything that was to be applied has been. */
  settled(): Promise<void> {
    return this.applying;
  }
}

export interface Tiers {
  all: SteppedTier[];
  redis: Redis;
  close(): void;
}

/** Connections for any number of stages, one after the other. */
export async function connectTiers({ url }: RedisServer, create = createTier): Promise<Tiers> {
  const redis = new Redis(url);
  const all = PROCESSES.map(() => create({ url, prefix: 'model:', log }));
  while (!all.every((tier) => tier.isUsable())) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    all,
    redis,
    close() {
      redis.disconnect();
      for (const tier of all) tier.close();
    },
  };
}

function createTier(options: ConstructorParameters<typeof SteppedTier>[0]): SteppedTier {
  return new SteppedTier(options);
}

interface Process {
  cache: Cache;
  hub: Hub;
  tier: SteppedTier;
  /** How many parts of the log have arrived. */
  place: number;
  /** Commits that the ticks which have arrived whole cover. */
  covered: number;
  /** Of what commands that were answered here have written: commits with the last of them. */
  answered: Map<string, number>;
}

let stages = 0;

export class Stage {
  readonly database = new ModelDatabase(`e${++stages}`);
  readonly processes: Process[];
  /** What was served though it was no longer true. */
  readonly stale: string[] = [];
  private readonly step: Step;
  private readonly redis: Redis;
  private leader = 0;
  /** Commands that were answered: their transactions, and the commits with them. */
  private readonly commands: { xid: number; commits: number }[] = [];
  private saved: { key: string; dump: Buffer }[] = [];

  constructor({ all, redis }: Tiers, step: Step) {
    this.step = step;
    this.redis = redis;
    this.processes = PROCESSES.map((bytes, i) => {
      const tier = all[i] as SteppedTier;
      tier.step = step;
      tier.lost = 0;
      const cache = new Cache({ bytes, redis: tier });
      const hub = new Hub(cache);
      cache.follow(hub);
      cache.learn(TABLES);
      return { cache, hub, tier, place: 0, covered: 0, answered: new Map() };
    });
    this.lead(0, false);
    for (const process of this.processes) this.join(process);
  }

  /** Values that all processes have found there. */
  hits(where: 'processHits' | 'redisHits'): number {
    return this.processes.reduce((sum, { cache }) => sum + cache.statistics()[where], 0);
  }

  /** Another service writes. */
  async write(writes: readonly Write[]): Promise<void> {
    await this.step('another service writes', () => {
      this.database.commit(this.database.begin(writes));
    });
  }

  /** A command of that process, which notes what it has written when it hears of its commit. */
  async command(index: number, writes: readonly Write[], isRefused: boolean): Promise<void> {
    const { database } = this;
    const process = this.processAt(index);
    const transaction = await this.step('a command writes', () => database.begin(writes));
    const { xid, changes } = transaction;
    const rows = changes.map((change) => ({
      xid: String(xid),
      relation: change.relation,
      key: change.key,
      image: JSON.stringify(change.row),
      was: change.was && JSON.stringify(change.was),
    }));
    const noted = rows.length > 0 ? rows : [{ xid: String(xid), relation: null, key: '', image: '', was: null }];
    if (isRefused) {
      await this.step('a command is rolled back', () => database.rollback(transaction));
      return;
    }
    const commits = await this.step('a command commits', () => database.commit(transaction));
    await this.step('a command hears of its commit', () => undefined);
    await process.cache.expect({ $queryRaw: async () => noted as never });
    await this.step('a command is answered', () => {
      for (const { key, row, was } of changes) {
        process.answered.set(`row ${key}`, commits);
        for (const image of [row, was]) if (image) process.answered.set(`list ${image.parentId}`, commits);
      }
      this.commands.push({ xid, commits });
    });
  }

  /** A command of that process that is a single statement: when it is answered it is committed, and its rows are known. */
  async statement(index: number, writes: readonly Write[]): Promise<void> {
    const process = this.processAt(index);
    const transaction = await this.step('a statement writes', () => this.database.begin(writes));
    const commits = await this.step('a statement commits', () => this.database.commit(transaction));
    await this.step('a statement is answered', () => {
      const { xid, changes } = transaction;
      const last = new Map(changes.map((change) => [change.key, change]));
      const images = [...last.values()].flatMap(({ op, row }) => (op === 'D' ? [] : [JSON.stringify(row)]));
      process.cache.expectRows(xid, 'items', [...last.keys()], images);
      for (const key of last.keys()) process.answered.set(`row ${key}`, commits);
      this.commands.push({ xid, commits });
    });
  }

  /** Reads through the cache of that process, and judges what it gives. */
  async read(index: number, { of, keys, isAfterCommands }: Read): Promise<void> {
    const { database } = this;
    const { cache, covered, answered } = this.processAt(index);
    const after = isAfterCommands ? [...this.commands] : [];
    const least = Math.max(covered, ...after.map(({ commits }) => commits));
    const since = keys.map((key) => Math.max(least, answered.get(`${of} ${key}`) ?? 0));
    const reading: Reading = { isFresh: false, after: after.map(({ xid }) => xid), degrade: () => undefined };
    const look = async <Value>(found: () => Value): Promise<Value> => {
      const value = await this.step('PostgreSQL looks', found);
      await this.step('what PostgreSQL has found arrives', () => undefined);
      return value;
    };
    const values: unknown[] =
      of === 'row'
        ? await cache.read(ROW, keys, (ids) => look(() => ids.map((id) => database.row(id))), reading)
        : await cache.read(LIST, keys, (ids) => look(() => ids.map((id) => database.list(id))), reading);
    for (const [i, key] of keys.entries()) {
      if (database.wasTrue(of, key, values[i], since[i] as number)) continue;
      this.stale.push(`process ${index} serves ${of} ${key} as ${JSON.stringify(values[i])} after ${since[i]} commits`);
    }
  }

  /** The leader looks for changes, and takes in what it has found part by part. */
  async tick(): Promise<void> {
    const { leader } = this;
    await this.step('the leader looks', () => this.database.cut());
    const process = this.processAt(leader);
    while (this.leader === leader && process.place < this.database.log.length) {
      await this.step('the leader takes a part in', () => {
        if (this.leader !== leader || process.place === this.database.log.length) return;
        process.cache.lead(this.take(process));
      });
    }
  }

  /** The next part arrives at a process that follows. */
  async deliver(index: number): Promise<void> {
    await this.step(`a part arrives at process ${index}`, () => {
      const process = this.processAt(index);
      if (index !== this.leader && process.place < this.database.log.length) this.take(process);
    });
  }

  /** A follower was away for too long, and begins anew. */
  async restart(index: number): Promise<void> {
    await this.step(`process ${index} begins anew`, () => {
      if (index !== this.leader) this.join(this.processAt(index));
    });
  }

  /** Another process takes the lead; what the one before was about to tell Redis may still come. */
  async succeed(index: number, isOtherDatabase: boolean): Promise<void> {
    await this.step(`process ${index} takes the lead`, () => this.lead(index, isOtherDatabase));
  }

  async lose(): Promise<void> {
    await this.step('what the leader tells Redis is lost', () => {
      this.processAt(this.leader).tier.lost++;
    });
  }

  async flush(): Promise<void> {
    await this.step('Redis is emptied', () => this.redis.flushall('SYNC'));
  }

  async clear(index: number): Promise<void> {
    await this.step(`process ${index} clears the cache`, () => this.processAt(index).cache.forget());
  }

  async save(): Promise<void> {
    await this.step('a replica of Redis falls behind', async () => {
      const keys = await this.redis.keys('*');
      const dumps = await Promise.all(keys.map((key) => this.redis.dumpBuffer(key)));
      this.saved = keys.map((key, i) => ({ key, dump: dumps[i] as Buffer }));
    });
  }

  async restore(): Promise<void> {
    await this.step('Redis fails over to it', async () => {
      await this.redis.flushall('SYNC');
      await Promise.all(this.saved.map(({ key, dump }) => this.redis.restore(key, 0, dump)));
    });
  }

  private lead(index: number, isOther: boolean): void {
    const process = this.processAt(index);
    while (process.place < this.database.log.length) this.take(process);
    this.leader = index;
    this.database.open(isOther);
    process.cache.lead(this.take(process));
  }

  private take(process: Process): BroadcastPart {
    const part = this.database.log[process.place] as BroadcastPart;
    if (part.epoch === process.hub.epoch) process.hub.accept(part);
    else process.hub.start(part);
    process.covered = this.database.covered[process.place++] as number;
    return part;
  }

  private join(process: Process): void {
    const { log, covered } = this.database;
    let place = log.length; // behind the last part that ends a tick
    while (!log[place - 1]?.isLast) place--;
    if (place < process.place) return;
    process.hub.start(log[place - 1] as BroadcastPart);
    process.place = place;
    process.covered = covered[place - 1] as number;
  }

  private processAt(index: number): Process {
    return this.processes[index] as Process;
  }
}
