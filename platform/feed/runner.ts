/**
 * Brings a domain's ticks into this process. One process leads: it looks at the log and stores the ticks. The others
 * follow: they take the ticks that the leader publishes in Redis, or read them from PostgreSQL where there is no Redis,
 * it is away, or one is missing. Whoever follows takes the lead when it is free.
 */
import { hostname } from 'node:os';
import pg from 'pg';
import type { Logger } from '../log.ts';
import { type CapturedTables, readCapturedTables } from './captured-tables.ts';
import { type Glance, glance, type Look, look, quietSince } from './change-log.ts';
import { beginLead, type FeedState, takeLead } from './feed-state.ts';
import type { Hub } from './hub.ts';
import { joinLookout, type Lookout, type Watcher } from './lookout.ts';
import type { Mirror } from './mirror.ts';
import { Pace } from './pace.ts';
import { keepWithin, type Retention } from './retention.ts';
import type { Snapshot } from './snapshot.ts';
import { type BroadcastPart, NOTHING, type TickBroadcast } from './tick-broadcast.ts';
import { TickIntake } from './tick-intake.ts';
import { TickReader } from './tick-reader.ts';

export interface FeedSettings {
  retention?: Retention;
  /**
   * Changes that may have come while nobody led; after more of them readers begin anew. One by one, so many take longer
   * than new snapshots.
   * @default 1,000,000
   */
  backlogLimit?: number;
  broadcast?: TickBroadcast | undefined;
  /** Kept in step with the feed. */
  mirror?: Mirror | undefined;
}

export interface RunnerOptions extends FeedSettings {
  databaseUrl: string;
  schema: string;
  log: Logger;
}

/** A leader that has not asked PostgreSQL anything for so long is taken for paused or lost. */
const PATIENCE_MS = 3_000; // 3 seconds

/** At least so often it asks by itself, whatever others of its process have seen. */
const ASK_MS = 1_000; // 1 second

/** How often a follower tries to take the lead. */
const CANDIDACY_MS = 1_000; // 1 second

/** With Redis, a follower asks PostgreSQL only so often whether it has missed something. */
const SAFETY_MS = 500;

/** How often the leader sees to the log's size. */
const HOUSEKEEPING_MS = 30_000; // 30 seconds

const RECONNECT_MS = 500;
const STATEMENT_TIMEOUT_MS = 30_000; // 30 seconds

const BACKLOG_LIMIT = 1_000_000;

export class FeedRunner implements Watcher {
  isLeader = false;
  private readonly hub: Hub;
  private readonly options: RunnerOptions;
  private readonly pace = new Pace();
  private readonly intake: TickIntake;
  private readonly lookout: Lookout;
  /** All that it sees has been delivered; null while that is not known. */
  private since: Snapshot | null = null;
  private askedAt = 0;
  private readonly name = `${hostname()}:${process.pid}`;
  private isStopped = false;
  private isAway = false;
  private running: Promise<void> = Promise.resolve();
  private client: pg.Client | undefined;

  constructor(hub: Hub, options: RunnerOptions) {
    this.hub = hub;
    this.options = options;
    this.intake = new TickIntake(hub, () => this.pace.ring());
    this.lookout = joinLookout(options.databaseUrl, this);
  }

  get tables(): CapturedTables {
    return this.intake.tables;
  }

  start(): void {
    this.options.broadcast?.follow((part) => {
      if (!this.isLeader && !this.isStopped) this.intake.takeBroadcast(part);
    });
    this.running = this.run();
  }

  ring(): void {
    this.pace.ring();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.intake.isStopped = true;
    this.pace.stop();
    await this.running;
    this.lookout.leave(this);
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
      this.since = null;
      this.hub.interrupt();
      await this.client?.end().catch(() => undefined);
      this.client = undefined;
      if (!this.isStopped) await this.pace.pause(RECONNECT_MS);
    }
  }

  private async onOneConnection(): Promise<void> {
    const { databaseUrl, schema, log } = this.options;
    // A plan that is kept from when the log was empty would read all of it for every look: the log is found by its index.
    const client = new pg.Client({
      connectionString: databaseUrl,
      options: `-c TimeZone=UTC -c search_path=${schema} -c synchronous_commit=off -c enable_seqscan=off`,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: `trading-data-graph feed ${this.name}`,
    });
    client.on('error', () => this.ring()); // the statement under way, or the next one, says so: let it come at once
    this.client = client;
    await client.connect();
    this.intake.tables = await readCapturedTables(client);
    this.options.mirror?.learn(this.intake.tables);
    if (this.isAway) log.info('the change feed is back');
    this.isAway = false;
    await this.intake.rejoin(client);
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
    const { log, retention, backlogLimit = BACKLOG_LIMIT } = this.options;
    await this.intake.catchUp(client);
    const state = await beginLead(client, this.name, backlogLimit);
    this.open(state);
    this.isLeader = true;
    log.info({ tick: state.tick, epoch: state.epoch }, 'this process leads the change feed');
    let { tick: previous, snapshot: since } = state;
    let keptAt = Date.now();
    let isLikely = true;
    while (!this.isStopped) {
      this.since = since;
      if (!isLikely && (await this.isStill(client, since))) {
        this.options.mirror?.rest();
        isLikely = await this.rest();
        continue;
      }
      this.askedAt = performance.now();
      const found = await look(client, this.intake.tables, previous, since);
      this.pace.took(performance.now() - this.askedAt);
      if (found.tick === null) {
        this.hub.settle(found.snapshot, found.at);
        this.options.mirror?.rest();
      } else {
        await this.deliver(client, { epoch: state.epoch, tick: found.tick, previous, since }, found);
        previous = found.tick;
      }
      since = found.snapshot;
      if (Date.now() - keptAt > HOUSEKEEPING_MS) {
        keptAt = Date.now();
        await keepWithin(client, retention, log);
      }
      isLikely = await this.pace.next(found.tick !== null);
    }
  }

  /**
   * Whether nothing at all has been written since: that is cheaper to see than that nothing concerns this domain. Where
   * nothing has happened for long and another feed of this process has just asked, this one hears what he sees.
   */
  private async isStill(client: pg.Client, since: Snapshot): Promise<boolean> {
    const { isIdle } = this.pace;
    const now = performance.now();
    if (isIdle && now - this.askedAt < ASK_MS && this.lookout.dueInMs() > 0) return true;
    this.askedAt = now;
    const { snapshot, at } = await (isIdle ? this.lookout.glance(client, this) : glance(client));
    if (snapshot !== since.text) return false;
    this.hub.settle(since, at);
    return true;
  }

  /** Until the next look is due, which is sooner than usual where the neighbour who asked last may ask no more. */
  private rest(): Promise<boolean> {
    return this.pace.next(false, (this.pace.isIdle && this.lookout.dueInMs()) || undefined);
  }

  hear({ snapshot, at }: Glance): void {
    if (!this.since || !this.pace.isIdle) return;
    if (snapshot === this.since.text) this.hub.settle(this.since, at);
    else this.ring();
  }

  /** The tick that a leader begins with has no changes; what is kept begins with it when what came before is given up. */
  private open({ epoch, tick, snapshot, tickedAt: at, oldestTick }: FeedState): void {
    const { hub } = this;
    const opening = { epoch, tick, snapshot, since: snapshot, at, changes: [], isLast: true };
    const joins = hub.epoch === epoch && oldestTick < tick;
    const previous = joins ? hub.place.tick : NOTHING;
    if (joins) hub.accept(opening);
    else hub.start(opening);
    this.tell({ ...opening, previous, after: 0 });
  }

  /** Other processes, by way of Redis where there is one. */
  private tell(part: BroadcastPart): void {
    this.options.mirror?.lead(part);
    this.options.broadcast?.publish(part);
  }

  /** A tick's first part, and whatever else it has. */
  private async deliver(
    client: pg.Client,
    tick: Pick<BroadcastPart, 'epoch' | 'tick' | 'previous' | 'since'>,
    { snapshot, at, ...first }: Look,
  ): Promise<void> {
    let { changes, hasMore } = first;
    let after = 0;
    const rest = new TickReader(
      client,
      this.intake.tables,
      { ...tick, snapshot, at },
      { after: changes.at(-1)?.seq ?? 0 },
    );
    for (;;) {
      const part = { ...tick, snapshot, at, changes, after, isLast: !hasMore };
      this.hub.accept(part);
      this.tell(part);
      if (!hasMore) return;
      after = changes.at(-1)?.seq ?? after;
      ({ changes, hasMore } = await rest.next());
    }
  }

  private async follow(client: pg.Client): Promise<void> {
    const { hub } = this;
    this.since = hub.isJoined ? hub.snapshot : null;
    const isStill = this.since !== null && (await this.isStill(client, this.since));
    const { hasMoved, tick } = isStill ? { hasMoved: false, tick: hub.place.tick } : await this.intake.catchUp(client);
    if (!isStill && !hasMoved && hub.snapshot) {
      const seen = await quietSince(client, hub.snapshot);
      if (seen && hub.place.tick === tick) hub.settle(seen.snapshot, seen.at);
    }
    if (this.options.broadcast?.isConnected()) await this.pace.pause(SAFETY_MS);
    else await (isStill ? this.rest() : this.pace.next(hasMoved));
  }
}
