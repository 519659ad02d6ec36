/**
 * The latest prices of what is held. Trading follows market data as any client of the graph does, keeps the prices in
 * memory (and in Redis, where the next process finds them), and values positions with them when they are read. They are
 * written back now and then, so that what other services read in the tables is not far behind.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Listener } from '../../platform/feed/hub.ts';
import { type Following, follow } from '../../platform/following.ts';
import { connectRedis } from '../../platform/redis.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { Holdings } from './holdings.ts';
import { storeMarks } from './marks.ts';
import type { Mark } from './rules/valuation.ts';
import { isOpen } from './trade-store/rules/lifecycle.ts';
import type { ManagedTrade } from './trade-store/rules/managed-trade.ts';

export type LivePrices = ReadonlyMap<string, Mark>;

export interface LiveMarks {
  /** The latest prices by symbol: as they are now, and never changed. */
  now(): LivePrices;
  /** Calls `touch` whenever a price moves at which the account is valued, until the function it gives is called. */
  watch(accountId: string, touch: () => void): () => void;
  stop(): Promise<void>;
}

const PRICES = /* GraphQL */ `
  subscription FollowPrices($symbols: [String!]!) {
    priceChanges(symbols: $symbols, minIntervalMs: 50) { ticker { lastPrice timestamp instrument { symbol } } }
  }
`;

interface PriceChange {
  ticker: { lastPrice: string; timestamp: string; instrument: { symbol: string } | null } | null;
}

/** Prices are written back at most so often. */
const WRITE_BACK_MS = 5_000; // 5 seconds

/** And so seldom that it costs the database no more than this share of its time, however many positions there are. */
const WRITE_BACK_SHARE = 0.05;

export function startLiveMarks(parts: ServiceParts): LiveMarks {
  return new Marks(parts);
}

class Marks implements LiveMarks {
  private readonly parts: ServiceParts;
  private readonly redis: Redis | undefined;
  private readonly redisKey: string;
  private marks: LivePrices = new Map();
  private readonly unwritten = new Set<string>();
  private readonly watchers = new Map<string, Set<() => void>>();
  private readonly holdings: Holdings;
  private readonly stopping = new AbortController();
  private readonly running: Promise<unknown>;
  private readonly listeners: readonly Listener[];
  private restart = new AbortController();

  constructor(parts: ServiceParts) {
    this.parts = parts;
    this.holdings = new Holdings(parts.db);
    const { redisUrl, redisPrefix, log } = parts;
    this.redisKey = `${redisPrefix}marks`;
    this.redis = redisUrl ? connectRedis({ url: redisUrl, log }) : undefined;
    const rest = { settle: () => undefined, beat: () => undefined, reset: () => this.restart.abort() };
    this.listeners = [
      {
        ...rest,
        relation: 'positions',
        offer: ({ op, row }) => {
          if (op !== 'D' && row.closedAt === null) this.hold(String(row.accountId), String(row.instrumentId));
        },
      },
      {
        ...rest,
        relation: 'managed_trades',
        offer: ({ row }) => {
          if (isOpen(row as unknown as ManagedTrade)) this.hold(String(row.accountId ?? ''), String(row.symbol));
        },
      },
    ];
    for (const listener of this.listeners) parts.feed.hub.attach(listener);
    this.running = Promise.all([this.follow(), this.writeBack()]);
  }

  now(): LivePrices {
    return this.marks;
  }

  watch(accountId: string, touch: () => void): () => void {
    const watchers = this.watchers.get(accountId) ?? new Set();
    this.watchers.set(accountId, watchers.add(touch));
    return () => {
      watchers.delete(touch);
      if (watchers.size === 0 && this.watchers.get(accountId) === watchers) this.watchers.delete(accountId);
    };
  }

  async stop(): Promise<void> {
    for (const listener of this.listeners) this.parts.feed.hub.detach(listener);
    this.stopping.abort();
    this.restart.abort();
    await this.running;
    this.redis?.disconnect();
  }

  /** A position in an instrument that was not followed: from now on it is. */
  private hold(accountId: string, symbol: string): void {
    if (this.holdings.add(accountId, symbol)) this.restart.abort();
  }

  /** Follows the prices of what is held, anew whenever that grows. */
  private async follow(): Promise<void> {
    const { log } = this.parts;
    let isInterrupted = false;
    const following: Following<PriceChange> = {
      document: PRICES,
      field: 'priceChanges',
      begin: () => this.begin(),
      variables: () => ({ symbols: this.holdings.symbols() }),
      take: ({ ticker }) => {
        isInterrupted = false;
        const { lastPrice, timestamp, instrument } = ticker ?? {};
        if (lastPrice && timestamp && instrument) this.take(instrument.symbol, { price: lastPrice, at: timestamp });
      },
      interrupted: ({ message: reason }) => {
        if (!isInterrupted) log.info({ reason }, 'prices do not come in; they are asked for again');
        isInterrupted = true;
      },
    };
    while (!this.stopping.signal.aborted) {
      this.restart = new AbortController();
      await follow(this.parts, following, this.restart.signal);
    }
  }

  /** Learns what is held; while that is nothing there is nothing to follow. */
  private async begin(): Promise<void> {
    await this.parts.feed.ready(); // what is opened from now on is offered, what was opened before is read
    await this.holdings.load();
    await this.seed();
    if (this.holdings.symbols().length === 0) await untilAborted(this.restart.signal);
  }

  private take(symbol: string, mark: Mark): void {
    const known = this.marks.get(symbol);
    if (known && Date.parse(mark.at) < Date.parse(known.at)) return; // an older price says nothing
    if (known?.price === mark.price && known.at === mark.at) return;
    this.marks = new Map(this.marks).set(symbol, mark);
    this.unwritten.add(symbol);
    for (const accountId of this.holdings.accountsWith(symbol)) {
      for (const touch of this.watchers.get(accountId) ?? []) touch();
    }
  }

  /** The process that leads the feed writes for all. */
  private async writeBack(): Promise<void> {
    const { db, feed, log } = this.parts;
    let waitMs = WRITE_BACK_MS;
    while (!this.stopping.signal.aborted) {
      await sleep(waitMs, undefined, this.stopping).catch(() => undefined);
      const symbols = this.stopping.signal.aborted ? [] : [...this.unwritten];
      this.unwritten.clear();
      if (symbols.length === 0 || !feed.isLeader()) continue;
      const startedAt = Date.now();
      const marks = symbols.map((symbol) => ({ symbol, ...(this.marks.get(symbol) as Mark) }));
      try {
        await db.query(storeMarks(marks, null));
        feed.ring();
        await this.redis?.hset(
          this.redisKey,
          Object.fromEntries(marks.map(({ symbol, ...mark }) => [symbol, JSON.stringify(mark)])),
        );
      } catch (error) {
        for (const symbol of symbols) this.unwritten.add(symbol);
        log.debug({ err: error }, 'marks were not written back; they will be with the next ones');
      }
      waitMs = Math.max(WRITE_BACK_MS, (Date.now() - startedAt) / WRITE_BACK_SHARE);
    }
  }

  /** What an earlier process knew. */
  private async seed(): Promise<void> {
    if (!this.redis || this.marks.size > 0) return;
    const kept = await this.redis.hgetall(this.redisKey).catch(() => ({}));
    for (const [symbol, text] of Object.entries(kept)) {
      if (!this.marks.has(symbol)) this.marks = new Map(this.marks).set(symbol, JSON.parse(text) as Mark);
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
