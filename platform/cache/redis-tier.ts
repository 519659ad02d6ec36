/**
 * Cached values that all processes of a domain share. The leader of the feed keeps them in step with it; whoever reads
 * learns up to which tick they are, and takes nothing that he knows to have been touched since.
 *
 * Nothing here waits for Redis for long or fails because of it: what is not to be had is read from PostgreSQL. What the
 * leader could not apply it need not repeat: at the next tick the figures do not join, and a new generation begins.
 */
import { randomBytes } from 'node:crypto';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import type { Redis } from 'ioredis';
import type { BroadcastPart } from '../feed/tick-broadcast.ts';
import type { Logger } from '../log.ts';
import { connectRedis } from '../redis.ts';
import { escapeGlob } from '../repositories/glob.ts';
import { APPLY, READ, STORE } from './scripts.ts';

export interface RedisTierOptions {
  url: string;
  /** The domain's, with its colon: "trading:". */
  prefix: string;
  log: Logger;
}

/** What Redis has of some entries. */
export interface Held {
  generation: string;
  epoch: string;
  /** Everything up to this tick has been applied to the values. */
  tick: number;
  /** JSON, or null where there is nothing that may be used. */
  values: (string | null)[];
}

export interface Kept {
  id: string;
  place: number;
  ttlMs: number;
  version: number;
  json: string;
}

/** A row as it is now; without JSON it is gone. */
export interface Changed {
  id: string;
  table: string;
  place: number;
  version: number;
  json: string;
}

/** The cache must be faster than what it stands for: who waits longer goes to PostgreSQL. */
const COMMAND_TIMEOUT_MS = 250;

/**
 * Failures one after the other after which Redis is left alone for a while. One short stall fails all commands that are
 * under way, so the while is short too; then one command tries whether it is over.
 */
const FAILURES = 5;
const REST_MS = 60_000; // a minute, or until it has been connected to anew or takes a value

/** How often Redis that is left alone is asked to take one. */
const PROBE_INTERVAL_MS = 1_000; // 1 second

/** How often it is noted until when everything has been applied. */
const NOTE_INTERVAL_MS = 500;

/** How often it is seen to that Redis has what was applied, while nothing happens. */
const ASSURE_INTERVAL_MS = 1_000; // 1 second

/** A value that is longer as JSON is not shared: a batch of such would take longer than Redis is waited for. */
const VALUE_LIMIT = 256 * 1024; // 256 KiB

/** Bytes that wait to be sent at most; what follows is not applied. */
const BACKLOG_BYTES = 8 * 1024 ** 2; // 8 MiB

interface Scripts {
  cacheRead(...args: (string | number)[]): Promise<[string, string, string, (string | null)[]] | []>;
  cacheStore(...args: (string | number)[]): Promise<number>;
  cacheApply(...args: (string | number)[]): Promise<'applied' | 'begun' | 'deposed'>;
}

export class RedisTier {
  /** Reads and writes that failed. */
  errors = 0;
  /** Times that a new generation has begun. */
  generations = 0;
  private readonly redis: Redis & Scripts;
  private readonly prefix: string;
  private readonly fence: string;
  private readonly asOfKey: string;
  private readonly log: Logger;
  private notedAt = 0;
  private breaker = this.createBreaker();
  private probing: NodeJS.Timeout | undefined;
  private epoch = '';
  private opened = 0;
  private last: BroadcastPart | undefined;
  private assuredAt = 0;
  private isClosed = false;

  constructor({ url, prefix, log }: RedisTierOptions) {
    this.prefix = `${prefix}cache:`;
    this.fence = `${this.prefix}fence`;
    this.asOfKey = `${this.prefix}as-of`;
    this.log = log;
    const redis = connectRedis({ url, log, commandTimeoutMs: COMMAND_TIMEOUT_MS });
    redis.defineCommand('cacheRead', { lua: READ });
    redis.defineCommand('cacheStore', { lua: STORE });
    redis.defineCommand('cacheApply', { lua: APPLY });
    redis.on('ready', () => this.trust());
    this.redis = redis as Redis & Scripts;
  }

  /** Whether Redis is asked at present. */
  isUsable(): boolean {
    return this.redis.status === 'ready' && !LEFT_ALONE.has(this.breaker.state);
  }

  /** What is there of the entries, which depend on one table; null where Redis does not say. */
  async read(table: string, entries: readonly { id: string; place: number }[]): Promise<Held | null> {
    const keys = entries.map(({ id }) => this.prefix + id);
    const places = entries.map(({ place }) => place);
    const answer = await this.ask(() => this.redis.cacheRead(keys.length + 1, this.fence, ...keys, table, ...places));
    const [generation, epoch, tick, values] = answer ?? [];
    if (generation === undefined || epoch === undefined || !values) return null;
    return { generation, epoch, tick: Number(tick), values };
  }

  /** Keeps what was read when `tick` had arrived, unless it has been touched since. */
  async store(generation: string, tick: number, table: string, entries: readonly Kept[]): Promise<number> {
    const shared = entries.filter(isShared);
    if (shared.length === 0) return 0;
    const keys = shared.map(({ id }) => this.prefix + id);
    const values = shared.flatMap(({ place, ttlMs, version, json }) => [place, ttlMs, version, json]);
    const stored = await this.ask(() =>
      this.redis.cacheStore(keys.length + 1, this.fence, ...keys, generation, tick, table, ...values),
    );
    return stored ?? 0;
  }

  /** Applies, in order, a part of a tick that this process has found as the leader of the feed. */
  apply(part: BroadcastPart, touched: readonly (number | string)[], changed: readonly Changed[]): void {
    const { epoch, tick } = part;
    if (part.since.text === part.snapshot.text && part.changes.length === 0) {
      this.epoch = epoch;
      this.opened = tick;
    }
    if (epoch !== this.epoch) return;
    this.last = part;
    this.send(part, touched, changed.filter(isShared)); // what is left out is void, as it is touched
  }

  /** Sees to it that Redis has what was applied last, though nothing happens: it may have been emptied. */
  assure(): void {
    const now = Date.now();
    if (!this.last?.isLast || now - this.assuredAt < ASSURE_INTERVAL_MS) return;
    this.assuredAt = now;
    const { tick, snapshot } = this.last;
    this.send({ ...this.last, previous: tick, after: 0, since: snapshot, changes: [] }, [], []);
  }

  private send(part: BroadcastPart, touched: readonly (number | string)[], changed: readonly Changed[]): void {
    const { epoch, tick, previous, after, isLast } = part;
    if (!this.isUsable() || this.redis.stream.writableLength > BACKLOG_BYTES) return;
    const keys = changed.map(({ id }) => this.prefix + id);
    const rows = changed.flatMap(({ table, place, version, json }) => [table, place, version, json]);
    const generation = `${epoch}.${tick}.${randomBytes(6).toString('hex')}`;
    const within = isLast ? 0 : (part.changes.at(-1)?.seq ?? after);
    const state = [epoch, this.opened, previous, after, tick, within, generation];
    void this.ask(async () => {
      const applied = await this.redis.cacheApply(
        keys.length + 1,
        this.fence,
        ...keys,
        ...state,
        touched.length,
        ...touched,
        ...rows,
      );
      if (applied !== 'deposed' && isLast) this.noteAsOf(part.at);
      if (applied !== 'begun') return;
      this.generations++;
      if (tick !== this.opened) this.log.info({ tick }, 'what Redis holds does not join on: its cache begins anew');
    });
  }

  /** Until when, at least, all that was committed has been applied, RFC 3339; null where nobody says. */
  async asOf(): Promise<string | null> {
    return (await this.ask(() => this.redis.get(this.asOfKey))) ?? null;
  }

  /** Deletes the entries that the glob names. */
  async forget(glob: string): Promise<void> {
    const match = escapeGlob(this.prefix) + glob;
    await this.ask(async () => {
      for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
        const [next, keys] = await this.redis.scan(cursor, 'MATCH', match, 'COUNT', 1_000);
        cursor = next;
        const entries = keys.filter((key) => key !== this.fence && key !== this.asOfKey);
        if (entries.length > 0) await this.redis.unlink(...entries);
      }
    });
  }

  close(): void {
    clearTimeout(this.probing);
    this.isClosed = true;
    this.redis.disconnect();
  }

  /** The answer, or null where there is none. */
  private async ask<Answer>(command: () => Promise<Answer>): Promise<Answer | null> {
    if (!this.isUsable()) return null;
    try {
      return await this.breaker.execute(command);
    } catch (error) {
      this.errors++;
      if (isFull(error)) this.breaker.isolate(); // it answers reads still, and would be written to in vain at each tick
      this.log.debug({ reason: (error as Error).message }, 'the cache in Redis did not answer');
      return null;
    }
  }

  /** After it has been applied, so that it is never ahead of the values. Behind by a little is true as well. */
  private noteAsOf(at: string): void {
    const now = Date.now();
    if (now - this.notedAt < NOTE_INTERVAL_MS) return;
    this.notedAt = now;
    this.redis.set(this.asOfKey, at).catch(() => undefined);
  }

  private createBreaker() {
    const breaker = circuitBreaker(handleAll, { halfOpenAfter: REST_MS, breaker: new ConsecutiveBreaker(FAILURES) });
    breaker.onBreak(() => {
      if (breaker !== this.breaker || this.isClosed) return;
      this.log.warn('the cache in Redis is left alone for a while');
      this.probeLater();
    });
    return breaker;
  }

  private probeLater(): void {
    clearTimeout(this.probing);
    if (!this.isClosed) this.probing = setTimeout(() => void this.probe(), PROBE_INTERVAL_MS).unref();
  }

  /** One that is slow, or full, keeps its connections. */
  private async probe(): Promise<void> {
    const { breaker } = this;
    const takes = await this.redis.set(`${this.prefix}probe`, '', 'PX', PROBE_INTERVAL_MS).catch(() => null);
    if (breaker !== this.breaker) return;
    if (takes === null) this.probeLater();
    else this.trust();
  }

  private trust(): void {
    clearTimeout(this.probing);
    this.breaker = this.createBreaker();
  }
}

const LEFT_ALONE: ReadonlySet<CircuitState> = new Set([CircuitState.Open, CircuitState.Isolated]);

function isShared({ json }: { json: string }): boolean {
  return json.length <= VALUE_LIMIT;
}

/** Whether Redis has reached its `maxmemory` and may evict nothing. */
function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}
