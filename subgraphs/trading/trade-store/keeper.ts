/**
 * Keeps the replicas of managed trades in step with their journal, PostgreSQL.
 *
 * Every write is journalled first: a command is acknowledged once it is committed there, and only then does the change feed
 * bring it here. So whatever is killed, emptied or cut off, nothing acknowledged is lost: a replica that may have missed
 * something is reconciled with the journal. Redis is one replica for all processes of trading; each of them writes what
 * the feed brings, which is the same for all, and the version decides. SQLite is a file of each process, for itself. A
 * process that cannot use Redis therefore finds everything in its own file, and not only what it wrote itself.
 */
import type { Redis } from 'ioredis';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { Complaint } from '../../../platform/health.ts';
import { firstAttempt } from '../../../platform/redis.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { canonical } from './backends/fields.ts';
import { redisTrades } from './backends/redis.ts';
import { sqliteTrades } from './backends/sqlite.ts';
import { type Comparison, compare } from './comparison.ts';
import { Copier } from './copier.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';
import { oneSelection, type Selection } from './selection.ts';
import type { BackendName, TradeReplica } from './trade-store.ts';

export interface KeeperOptions extends Pick<ServiceParts, 'db' | 'feed' | 'health' | 'log' | 'redisPrefix'> {
  /** A connection of the keeper's own, which it closes. */
  redis: Redis | undefined;
  /** File of this process, or ":memory:". */
  sqlitePath: string;
}

export interface KnownTrades {
  trades: ManagedTrade[];
  /** Everything committed until then is in them, RFC 3339. */
  asOf: string;
}

/** One replica, compared. */
export interface ReplicaComparison extends Comparison {
  backend: BackendName;
  isActive: boolean;
  /** Why it could not be compared; null when it was. */
  error: string | null;
}

export class TradeKeeper {
  private readonly options: KeeperOptions;
  private sqlite: TradeReplica;
  private readonly redis: TradeReplica | undefined;
  private readonly listener: Listener;
  private readonly opened: Promise<void>;
  private readonly begun: Promise<void>;
  private readonly select: () => Promise<Selection>;
  private selection: Selection | undefined;
  private toSqlite: Copier | undefined;
  private toRedis: Copier | undefined;
  private hasFile = true;
  private isSqliteAway = false;
  private isStopping = false;

  constructor(options: KeeperOptions) {
    this.options = options;
    const { redis, redisPrefix, feed, health, sqlitePath, log } = options;
    this.sqlite = sqliteTrades(sqlitePath);
    this.redis = redis && redisTrades({ redis, prefix: redisPrefix });
    const select = oneSelection(log);
    this.select = async () => {
      await this.opened;
      return select({ redis: this.redis, sqlite: this.sqlite, log });
    };
    this.listener = {
      relation: 'managed_trades',
      offer: ({ row }) => {
        const trade = canonical(row as unknown as ManagedTrade);
        this.toSqlite?.offer(trade);
        this.toRedis?.offer(trade);
      },
      settle: () => undefined,
      beat: () => undefined,
      reset: () => {
        this.toSqlite?.distrust();
        this.toRedis?.distrust();
      },
    };
    this.opened = this.open();
    feed.hub.attach(this.listener);
    health.heed('the trade store', () => this.complaints());
    this.begun = this.begin();
  }

  /** Which backend serves, and whether it holds all that it should. */
  async state(): Promise<{ backend: BackendName; isInitialized: boolean; error: string | null }> {
    const { active, trouble } = await this.select();
    const copier = active === this.redis ? this.toRedis : this.toSqlite;
    return { backend: active.name, isInitialized: copier?.isWhole ?? false, error: trouble?.reason ?? null };
  }

  /** The open set, for readers whom PostgreSQL does not answer; null when it is not known whole. */
  openTrades(symbol?: string): Promise<KnownTrades | null> {
    return this.known((replica) => replica.open(symbol));
  }

  /** The same for one trade; an empty list when there is none. */
  trade(tradeId: string): Promise<KnownTrades | null> {
    return this.known(async (replica) => {
      const trade = await replica.read(tradeId);
      return trade ? [trade] : [];
    });
  }

  /** What each replica has that differs from the journal. */
  async comparisons(): Promise<ReplicaComparison[]> {
    await this.begun;
    const replicas = this.redis ? [this.redis, this.sqlite] : [this.sqlite];
    return Promise.all(
      replicas.map(async (replica) => {
        const state = { backend: replica.name, isActive: this.selection?.active === replica };
        try {
          return { ...state, ...(await compare(this.options.db, replica)), error: null };
        } catch (error) {
          this.options.log.warn({ err: error, backend: replica.name }, 'managed trades could not be compared');
          const nothing = { journalCount: 0, replicaCount: 0, differences: [] };
          return { ...state, ...nothing, error: `${replica.name} could not be read.` };
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.options.feed.hub.detach(this.listener);
    await this.begun;
    await Promise.all([this.toSqlite?.stop(), this.toRedis?.stop()]);
    await this.redis?.close();
    await this.sqlite.close();
  }

  /** A process that may keep no file keeps its copy in memory: it is made from the journal anyway. */
  private async open(): Promise<void> {
    const { redis, log } = this.options;
    const attempted = redis && firstAttempt(redis);
    try {
      await this.sqlite.initialize();
    } catch (error) {
      log.warn({ err: error }, 'the SQLite file of managed trades cannot be opened; they are kept in memory');
      this.hasFile = false;
      this.sqlite = sqliteTrades(':memory:');
    }
    await attempted;
  }

  private async begin(): Promise<void> {
    const { redis } = this.options;
    this.selection = await this.select();
    if (this.isStopping) return;
    this.toSqlite = this.copierToSqlite();
    if (redis && this.redis) this.toRedis = this.copierToRedis(redis, this.redis, this.selection);
  }

  private copierToSqlite(): Copier {
    const { db, log, feed } = this.options;
    return new Copier({
      replica: this.sqlite,
      db,
      log,
      isReached: () => feed.hub.isJoined,
      look: async () => true,
      onWhole: async () => undefined,
      onRound: (error) => {
        if (error && !this.isSqliteAway) log.warn({ err: error }, 'managed trades are not copied to SQLite');
        this.isSqliteAway = error !== null;
      },
    });
  }

  /** Redis serves once it holds everything, and says so itself: one that was emptied does not. */
  private copierToRedis(redis: Redis, replica: TradeReplica, selection: Selection): Copier {
    const { db, log, feed, redisPrefix } = this.options;
    const marker = `${redisPrefix}trade-store-whole`;
    const copier = new Copier({
      replica,
      db,
      log,
      isReached: () => feed.hub.isJoined,
      async look() {
        const isWhole = (await redis.exists(marker)) === 1;
        if (!isWhole && copier.isWhole) selection.distrust('Redis has lost managed trades');
        return isWhole;
      },
      async onWhole() {
        await redis.set(marker, new Date().toISOString());
        selection.resume();
      },
      onRound: (error) => (error ? selection.fail(error) : selection.succeed()),
    });
    redis.on('ready', () => copier.distrust()); // it may have been away for long, or be another one
    return copier;
  }

  /** What Redis knows where it is whole, and SQLite, which has the same, where that fails. */
  private async known(read: (replica: TradeReplica) => Promise<ManagedTrade[]>): Promise<KnownTrades | null> {
    const { completeAt } = this.options.feed.hub;
    const asOf = new Date(completeAt).toISOString();
    if (this.redis && this.toRedis?.isWhole && this.selection?.active === this.redis) {
      const trades = await read(this.redis).catch(() => this.toRedis?.distrust());
      if (trades) return { trades, asOf };
    }
    return this.toSqlite?.isWhole ? { trades: await read(this.sqlite), asOf } : null;
  }

  private complaints(): Complaint[] {
    const complain = (reason: string): Complaint => ({ status: 'DEGRADED', reason });
    const { trouble } = this.selection ?? {};
    return [
      ...(trouble ? [complain(`Managed trades are served from SQLite since ${trouble.since}: ${trouble.reason}`)] : []),
      ...(this.hasFile ? [] : [complain('Managed trades are copied to memory; the log says why not to their file.')]),
      ...(this.isSqliteAway ? [complain('Managed trades are not copied to SQLite; the log says why.')] : []),
    ];
  }
}
