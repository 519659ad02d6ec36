/**
 * Brings a domain's ticks into this process. One process leads: it looks at the log and stores the ticks. The others
 * follow: they take the ticks that the leader publishes in Redis, or read them from PostgreSQL where there is no Redis,
 * it is away, or one is missing. Whoever follows takes the lead when it is free.
 */
import { hostname } from 'node:os';
import pg from 'pg';
import type { Logger } from '../log.ts';
import type { TickPart } from './change.ts';
import {
  beginLead,
  type FeedState,
  type Instants,
  type Look,
  look,
  quietSince,
  readChanges,
  readInstants,
  readState,
  readTicks,
  takeLead,
} from './change-log.ts';
import type { Hub } from './hub.ts';
import { Pace } from './pace.ts';
import { keepWithin, type Retention } from './retention.ts';

/** A part as it goes to other processes: it says what it follows. */
export interface BroadcastPart extends TickPart {
  /** The tick before. */
  previous: number;
  /** Sequence number of the last change of the part before, within the tick; 0 for the first part. */
  after: number;
}

/** How ticks get to other processes beside the way through PostgreSQL. */
export interface TickBroadcast {
  /** May fail without a word: what does not arrive is read from PostgreSQL. */
  publish(part: BroadcastPart): void;
  /** Calls `accept` with each part that comes; parts may be missing or come twice. */
  follow(accept: (part: BroadcastPart) => void): void;
  /** Whether parts come in by now. */
  isConnected(): boolean;
  close(): Promise<void>;
}

export interface FeedSettings {
  retention?: Retention;
  broadcast?: TickBroadcast | undefined;
}

export interface RunnerOptions extends FeedSettings {
  databaseUrl: string;
  schema: string;
  log: Logger;
}

/** A leader that has not asked PostgreSQL anything for so long is taken for paused or lost. */
const PATIENCE_MS = 3_000; // 3 seconds

/** How often a follower tries to take the lead. */
const CANDIDACY_MS = 1_000; // 1 second

/** With Redis, a follower asks PostgreSQL only so often whether it has missed something. */
const SAFETY_MS = 500;

/** How often the leader sees to the log's size. */
const HOUSEKEEPING_MS = 30_000; // 30 seconds

const RECONNECT_MS = 500;
const STATEMENT_TIMEOUT_MS = 30_000; // 30 seconds

/** Ticks that a follower takes up at once. */
const TICKS_AT_ONCE = 100;

export class FeedRunner {
  instants: Instants = new Map();
  isLeader = false;
  private readonly hub: Hub;
  private readonly options: RunnerOptions;
  private readonly pace = new Pace();
  private readonly name = `${hostname()}:${process.pid}`;
  private isStopped = false;
  private isAway = false;
  private running: Promise<void> = Promise.resolve();
  private client: pg.Client | undefined;

  constructor(hub: Hub, options: RunnerOptions) {
    this.hub = hub;
    this.options = options;
  }

  start(): void {
    this.options.broadcast?.follow((part) => this.takeBroadcast(part));
    this.running = this.run();
  }

  ring(): void {
    this.pace.ring();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.pace.stop();
    await this.running;
    await this.options.broadcast?.close();
  }

  /** Connects again for ever: without its database a domain has nothing to tell. */
  private async run(): Promise<void> {
    const { log } = this.options;
    while (!this.isStopped) {
      try {
        await this.onOneConnection();
      } catch (error) {
        if (!this.isStopped && !this.isAway)
          log.warn({ reason: (error as Error).message }, 'the change feed is interrupted');
        this.isAway = true;
      }
      this.isLeader = false;
      await this.client?.end().catch(() => undefined);
      this.client = undefined;
      if (!this.isStopped) await this.pace.pause(RECONNECT_MS);
    }
  }

  private async onOneConnection(): Promise<void> {
    const { databaseUrl, schema, log } = this.options;
    const client = new pg.Client({
      connectionString: databaseUrl,
      options: `-c TimeZone=UTC -c search_path=${schema} -c synchronous_commit=off`,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: `trading-data-graph feed ${this.name}`,
    });
    client.on('error', () => undefined); // the statement under way, or the next one, says so
    this.client = client;
    await client.connect();
    this.instants = await readInstants(client);
    if (this.isAway) log.info('the change feed is back');
    this.isAway = false;
    let triedAt = 0;
    while (!this.isStopped) {
      if (Date.now() - triedAt >= CANDIDACY_MS) {
        triedAt = Date.now();
        if (await takeLead(client, PATIENCE_MS)) return this.lead(client);
      }
      await this.follow(client);
    }
  }

  private async lead(client: pg.Client): Promise<void> {
    const { log, broadcast, retention } = this.options;
    await this.catchUp(client, await readState(client));
    const state = await beginLead(client, this.name);
    const { epoch, tick, snapshot } = state;
    const opening = { epoch, tick, snapshot, since: snapshot, changes: [], isLast: true };
    const before = this.hub.place.tick;
    this.take(opening, epoch);
    broadcast?.publish({ ...opening, previous: before, after: 0 });
    this.isLeader = true;
    log.info({ tick: state.tick, epoch: state.epoch }, 'this process leads the change feed');
    let previous = state.tick;
    let since = state.snapshot;
    let keptAt = Date.now();
    while (!this.isStopped) {
      const found = await look(client, this.instants, previous, since);
      if (found.tick === null) {
        this.hub.settle(found.snapshot);
      } else {
        await this.deliver(client, { epoch, tick: found.tick, previous, since }, found);
        previous = found.tick;
      }
      since = found.snapshot;
      if (Date.now() - keptAt > HOUSEKEEPING_MS) {
        keptAt = Date.now();
        await keepWithin(client, retention, log);
      }
      await this.pace.next(found.tick !== null);
    }
  }

  /** A tick's first part, and whatever else it has. */
  private async deliver(
    client: pg.Client,
    tick: Pick<BroadcastPart, 'epoch' | 'tick' | 'previous' | 'since'>,
    { snapshot, ...first }: Look,
  ): Promise<void> {
    let { changes, hasMore } = first;
    for (let after = 0; ; after = changes.at(-1)?.seq ?? after) {
      if (after > 0) {
        const between = { since: tick.since, snapshot, after };
        ({ changes, hasMore } = await readChanges(client, this.instants, between));
      }
      const part = { ...tick, snapshot, changes, after, isLast: !hasMore };
      this.hub.accept(part);
      this.options.broadcast?.publish(part);
      if (!hasMore) return;
    }
  }

  private async follow(client: pg.Client): Promise<void> {
    const state = await readState(client);
    const hasMoved = await this.catchUp(client, state);
    if (!hasMoved && this.hub.snapshot) {
      const seen = await quietSince(client, this.hub.snapshot);
      if (seen && this.hub.place.tick === state.tick) this.hub.settle(seen);
    }
    if (this.options.broadcast?.isConnected()) await this.pace.pause(SAFETY_MS);
    else await this.pace.next(hasMoved);
  }

  /** Takes in what is stored and has not arrived here. Says whether there was anything. */
  private async catchUp(client: pg.Client, state: FeedState): Promise<boolean> {
    if (state.epoch === '') return false; // nobody has led yet
    if (this.hub.epoch !== state.epoch || this.hub.place.tick < state.oldestTick) {
      this.hub.start(state.epoch, state.tick, state.snapshot);
      return true;
    }
    let hasMoved = false;
    while (this.hub.place.tick < state.tick || this.hub.place.position !== undefined) {
      const { tick, position } = this.hub.place;
      const ticks = await readTicks(client, position === undefined ? tick : tick - 1, TICKS_AT_ONCE);
      if (ticks.length === 0) break;
      for (const stored of ticks) await this.takeStored(client, state.epoch, stored);
      hasMoved = true;
    }
    return hasMoved;
  }

  private async takeStored(client: pg.Client, epoch: string, stored: Pick<TickPart, 'tick' | 'since' | 'snapshot'>) {
    let after = 0;
    for (;;) {
      const { changes, hasMore } = await readChanges(client, this.instants, { ...stored, after });
      this.take({ ...stored, epoch, changes, isLast: !hasMore }, epoch);
      if (!hasMore) return;
      after = changes.at(-1)?.seq ?? after;
    }
  }

  /** Ticks may come by Redis and from PostgreSQL at once; each part is taken once, in its place. */
  private take(part: TickPart, epoch: string): void {
    const { hub } = this;
    if (hub.epoch !== epoch) {
      hub.start(epoch, part.tick, part.snapshot);
      return;
    }
    if (part.tick < hub.place.tick || (part.tick === hub.place.tick && hub.place.position === undefined)) return;
    const reached = hub.place.tick === part.tick ? (hub.place.position ?? 0) : 0;
    hub.accept({ ...part, changes: part.changes.filter(({ seq }) => seq > reached) });
  }

  private takeBroadcast(part: BroadcastPart): void {
    if (this.isLeader || this.isStopped || part.epoch !== this.hub.epoch) return;
    const { tick, position } = this.hub.place;
    const begins = part.after === 0 && part.previous === tick && position === undefined;
    const continues = part.tick === tick && part.after === position;
    if (begins || continues) this.take(part, part.epoch);
    else if (part.tick > tick) this.pace.ring(); // one is missing: it is read from PostgreSQL now
  }
}
