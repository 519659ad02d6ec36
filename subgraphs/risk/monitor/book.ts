/**
 * What trading holds and what it is worth, in memory. Every process that is asked about risk, or has limits to keep,
 * follows trading and market data as any client of the graph does; who asks is answered without asking anybody else.
 */

import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { exchangeReference } from '../references.ts';
import { assetsOf, type Price, type Prices, STALE_AFTER_MS, symbolsFor, usdRate } from '../rules/conversion.ts';
import type { Holding } from '../rules/portfolio.ts';
import type { OpenOrder } from '../rules/pre-trade.ts';
import { INSTRUMENTS, ORDERS, POSITIONS, PRICES, STRATEGIES } from './documents.ts';
import { type FollowedEvent, Follower } from './follower.ts';

interface Position {
  positionId: string;
  isOpen: boolean;
  quantity: string;
  averageEntryPrice: string;
  currentPrice: string;
  markedAt: string;
  realizedPnl: string;
  traceId: string | null;
  strategy: { strategyId: string };
  account: { accountId: string } | null;
  instrument: { symbol: string } | null;
}

interface StrategyState {
  strategyId: string;
  realizedPnl: string;
  dailyPnl: string;
  traceId: string | null;
  account: { accountId: string } | null;
}

interface Order {
  orderId: string;
  status: string;
  side: 'BUY' | 'SELL';
  remainingQuantity: string;
  strategy: { strategyId: string };
  account: { accountId: string } | null;
  instrument: { symbol: string } | null;
}

interface Ticker {
  lastPrice: string;
  timestamp: string;
  traceId: string | null;
  instrument: { symbol: string } | null;
}

type PositionEvent = FollowedEvent & { position: Position | null };
type StrategyEvent = FollowedEvent & { strategy: StrategyState | null };
type OrderEvent = FollowedEvent & { order: Order | null };
type PriceEvent = FollowedEvent & { ticker: Ticker | null };

const OPEN_STATUSES: ReadonlySet<string> = new Set(['PENDING', 'SUBMITTED', 'ACCEPTED', 'PARTIALLY_FILLED']);

/** Symbols of one subscription. */
const SYMBOLS_LIMIT = 500;

/** Who asks waits so long for the book to be whole. */
const READY_TIMEOUT_MS = 5_000;

/** Is told of accounts that something has moved of, and the trace of the change that did, where it is known. */
export type Touched = (accountIds: readonly string[], traceId?: string | null) => void;

export class Book {
  private readonly parts: ServiceParts;
  private readonly touched: Touched;
  private followers: Follower<never>[] = [];
  private priceFollowers: Follower<never>[] = [];
  private followed = new Set<string>();
  private known: Promise<ReadonlySet<string>> | null = null;
  private positions = new Map<string, Position>();
  private strategies = new Map<string, StrategyState>();
  private orders = new Map<string, Order>();
  private prices = new Map<string, Price>();
  private byAccount = new Map<string, Map<string, Position>>();
  private ofOrders = new Map<string, Map<string, Order>>();
  private readonly accountsBySymbol = new Map<string, Set<string>>();
  private readonly wanted = new Set<string>();
  /** What each position was worth, and at which price: a position that changes is another object. */
  private readonly holdings = new WeakMap<Position, { live: Price | undefined; holding: Holding }>();
  private isStarted = false;
  private isStopped = false;
  private repricing: Promise<void> | null = null;

  constructor(parts: ServiceParts, touched: Touched) {
    this.parts = parts;
    this.touched = touched;
  }

  /** Begins to follow. Does nothing when it has begun. */
  start(): void {
    if (this.isStarted || this.isStopped) return;
    this.isStarted = true;
    this.followers = [this.followPositions(), this.followStrategies(), this.followOrders()] as never[];
  }

  get hasStarted(): boolean {
    return this.isStarted;
  }

  /** Whether everything that is followed is whole and alive. */
  isFollowing(): boolean {
    return this.isStarted && [...this.followers, ...this.priceFollowers].every((follower) => follower.isAlive());
  }

  /**
   * Begins where it has not, and resolves once it is whole.
   * @throws Refusal (domain unavailable) when trading or market data is not to be had within a few seconds
   */
  async ready(): Promise<void> {
    this.start();
    const until = Date.now() + READY_TIMEOUT_MS;
    while (!this.isFollowing() || this.repricing) {
      if (Date.now() > until || this.isStopped) throw refuse.domainUnavailable('trading');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all([...this.followers, ...this.priceFollowers].map((follower) => follower.stop()));
    await this.repricing;
  }

  /** Accounts that have a strategy or a position, as risk names them. */
  accountIds(): string[] {
    const ids = new Set(this.byAccount.keys());
    for (const { account } of this.strategies.values()) if (account) ids.add(exchangeReference(account.accountId));
    return [...ids];
  }

  positionCount(): number {
    return this.positions.size;
  }

  priceOf(symbol: string): Price | undefined {
    return this.prices.get(symbol);
  }

  allPrices(): Prices {
    return this.prices;
  }

  /** What an account holds, at the newest of market data's price and the position's own mark. */
  holdingsOf(accountId: string): Holding[] {
    return [...(this.byAccount.get(accountId)?.values() ?? [])].map((position) => this.holding(accountId, position));
  }

  openOrdersOf(accountId: string): OpenOrder[] {
    return [...(this.ofOrders.get(accountId)?.values() ?? [])].map(
      ({ strategy, instrument, side, remainingQuantity }) => ({
        accountId,
        strategyId: strategy.strategyId,
        instrumentId: instrument?.symbol ?? '',
        side: side === 'BUY' ? 'buy' : 'sell',
        remaining: dec(remainingQuantity),
      }),
    );
  }

  /** What strategies of an account have realised today and ever, by id. */
  strategiesOf(accountId: string): Map<string, { realizedPnl: Decimal; dailyPnl: Decimal }> {
    const own = [...this.strategies.values()].filter(
      ({ account }) => account && exchangeReference(account.accountId) === accountId,
    );
    return new Map(
      own.map(({ strategyId, realizedPnl, dailyPnl }) => [
        strategyId,
        { realizedPnl: dec(realizedPnl), dailyPnl: dec(dailyPnl) },
      ]),
    );
  }

  accountOfStrategy(strategyId: string): string | null {
    const account = this.strategies.get(strategyId)?.account;
    return account ? exchangeReference(account.accountId) : null;
  }

  accountsHolding(symbol: string): string[] {
    return [...(this.accountsBySymbol.get(symbol) ?? [])].filter((accountId) =>
      [...(this.byAccount.get(accountId)?.values() ?? [])].some(({ instrument }) => instrument?.symbol === symbol),
    );
  }

  /** From now on the price of the symbol, and of what turns its parts into USD, is followed as well. */
  async want(symbols: Iterable<string>): Promise<void> {
    for (const symbol of symbols) this.wanted.add(symbol);
    await this.reprice();
  }

  /** Of what has not moved the same holding is given again: a look at 500 positions is not to compute them anew. */
  private holding(accountId: string, position: Position): Holding {
    const symbol = position.instrument?.symbol ?? '';
    const live = this.prices.get(symbol);
    const before = this.holdings.get(position);
    const { base, quote } = before?.holding ?? assetsOf(symbol);
    const quoteRate = usdRate(quote, this.prices);
    if (before && before.live === live && isSame(before.holding.quoteRate, quoteRate)) return before.holding;
    const isLive = live !== undefined && Date.parse(live.at) >= Date.parse(position.markedAt);
    const price = dec(isLive ? live.price : position.currentPrice);
    const quantity = dec(position.quantity);
    const averageEntryPrice = dec(position.averageEntryPrice);
    const holding: Holding = {
      positionId: position.positionId,
      strategyId: position.strategy.strategyId,
      accountId,
      instrumentId: symbol,
      base,
      quote,
      quantity,
      averageEntryPrice,
      price,
      quoteRate,
      unrealizedPnl: price.minus(averageEntryPrice).times(quantity),
      realizedPnl: dec(position.realizedPnl),
      pricedAt: isLive ? live.at : position.markedAt,
    };
    this.holdings.set(position, { live, holding });
    return holding;
  }

  private followPositions() {
    let next = new Map<string, Position>();
    let isWhole = false;
    return new Follower<PositionEvent>(this.parts, {
      document: POSITIONS,
      field: 'positionChanges',
      begin: () => {
        next = new Map();
        isWhole = false;
      },
      take: ({ kind, position }) => {
        if (!position) return;
        const target = isWhole ? this.positions : next;
        if (kind === 'DELETE' || !position.isOpen) target.delete(position.positionId);
        else target.set(position.positionId, position);
        if (isWhole) this.place(position, kind !== 'DELETE' && position.isOpen);
      },
      whole: () => {
        isWhole = true;
        this.positions = next;
        this.byAccount = new Map();
        for (const position of next.values()) this.place(position, true, false);
        void this.reprice();
        this.touched([...this.byAccount.keys()]);
      },
    });
  }

  private place(position: Position, isOpen: boolean, isNew = true): void {
    if (!position.account || !position.instrument) return;
    const accountId = exchangeReference(position.account.accountId);
    const { symbol } = position.instrument;
    const own = this.byAccount.get(accountId) ?? new Map<string, Position>();
    this.byAccount.set(accountId, own);
    if (isOpen) own.set(position.positionId, position);
    else own.delete(position.positionId);
    if (own.size === 0) this.byAccount.delete(accountId);
    if (isOpen) this.hold(accountId, symbol);
    if (!isNew) return;
    if (isOpen && !this.followed.has(symbol)) void this.reprice();
    this.touched([accountId], position.traceId);
  }

  private hold(accountId: string, symbol: string): void {
    const { quote } = assetsOf(symbol);
    for (const one of [symbol, ...symbolsFor(quote)]) {
      const holders = this.accountsBySymbol.get(one) ?? new Set<string>();
      this.accountsBySymbol.set(one, holders.add(accountId));
    }
  }

  private followStrategies() {
    let next = new Map<string, StrategyState>();
    let isWhole = false;
    return new Follower<StrategyEvent>(this.parts, {
      document: STRATEGIES,
      field: 'strategyChanges',
      begin: () => {
        next = new Map();
        isWhole = false;
      },
      take: ({ kind, strategy }) => {
        if (!strategy) return;
        const target = isWhole ? this.strategies : next;
        if (kind === 'DELETE') target.delete(strategy.strategyId);
        else target.set(strategy.strategyId, strategy);
        if (isWhole && strategy.account)
          this.touched([exchangeReference(strategy.account.accountId)], strategy.traceId);
      },
      whole: () => {
        isWhole = true;
        this.strategies = next;
        this.touched(this.accountIds());
      },
    });
  }

  private followOrders() {
    let next = new Map<string, Order>();
    let isWhole = false;
    return new Follower<OrderEvent>(this.parts, {
      document: ORDERS,
      field: 'orderChanges',
      begin: () => {
        next = new Map();
        isWhole = false;
      },
      take: ({ kind, order }) => {
        if (!order) return;
        const isOpen = kind !== 'DELETE' && OPEN_STATUSES.has(order.status);
        const target = isWhole ? this.orders : next;
        if (isOpen) target.set(order.orderId, order);
        else target.delete(order.orderId);
        if (isWhole) this.placeOrder(order, isOpen);
      },
      whole: () => {
        isWhole = true;
        this.orders = next;
        this.ofOrders = new Map();
        for (const order of next.values()) this.placeOrder(order, true);
      },
    });
  }

  private placeOrder(order: Order, isOpen: boolean): void {
    if (!order.account) return;
    const accountId = exchangeReference(order.account.accountId);
    const own = this.ofOrders.get(accountId) ?? new Map<string, Order>();
    this.ofOrders.set(accountId, own);
    if (isOpen) own.set(order.orderId, order);
    else own.delete(order.orderId);
    if (own.size === 0) this.ofOrders.delete(accountId);
  }

  /** Follows the prices of what is held and wanted, where they are not followed yet. */
  private reprice(): Promise<void> {
    this.repricing ??= this.followMore()
      .catch((error: unknown) => this.parts.log.debug({ err: error }, 'the instruments were not read'))
      .finally(() => {
        this.repricing = null;
      });
    return this.repricing;
  }

  private async followMore(): Promise<void> {
    for (;;) {
      const missing = (await this.needed()).filter((symbol) => !this.followed.has(symbol));
      if (missing.length === 0 || this.isStopped) return;
      const chunk = missing.slice(0, SYMBOLS_LIMIT);
      for (const symbol of chunk) this.followed.add(symbol);
      this.priceFollowers.push(this.followPrices(chunk) as never);
    }
  }

  private async needed(): Promise<string[]> {
    const held = new Set(this.wanted);
    for (const { instrument } of this.positions.values()) if (instrument) held.add(instrument.symbol);
    const pairs = [...held].flatMap((symbol) => {
      const { base, quote } = assetsOf(symbol);
      return [symbol, ...symbolsFor(base), ...symbolsFor(quote)];
    });
    let exists = await this.instruments();
    if ([...held].some((symbol) => !exists.has(symbol))) exists = await this.instruments(true);
    return [...new Set(pairs)].filter((symbol) => exists.has(symbol));
  }

  private instruments(isAnew = false): Promise<ReadonlySet<string>> {
    if (isAnew || !this.known) {
      this.known = this.readInstruments();
      this.known.catch(() => {
        this.known = null;
      });
    }
    return this.known;
  }

  private async readInstruments(): Promise<ReadonlySet<string>> {
    const symbols = new Set<string>();
    for (let after: string | null = null; ; ) {
      const { instruments }: InstrumentPage = await this.parts.graph.request<InstrumentPage>(INSTRUMENTS, { after });
      for (const { symbol } of instruments.nodes) symbols.add(symbol);
      if (!instruments.pageInfo.hasNextPage) return symbols;
      after = instruments.pageInfo.endCursor;
    }
  }

  private followPrices(symbols: readonly string[]) {
    return new Follower<PriceEvent>(this.parts, {
      document: PRICES,
      field: 'priceChanges',
      variables: { symbols },
      begin: () => undefined,
      take: ({ ticker }) => {
        if (!ticker?.instrument) return;
        const { symbol } = ticker.instrument;
        const price = { price: ticker.lastPrice, at: ticker.timestamp };
        const before = this.prices.get(symbol);
        if (before && Date.parse(before.at) > Date.parse(price.at)) return;
        this.prices.set(symbol, price);
        if (before?.price === price.price) return;
        this.touched([...(this.accountsBySymbol.get(symbol) ?? [])], ticker.traceId);
      },
      whole: () => undefined,
    });
  }
}

function isSame(one: Decimal | null, other: Decimal | null): boolean {
  return one === other || (one !== null && other !== null && one.eq(other));
}

interface InstrumentPage {
  instruments: { nodes: { symbol: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** Whether a price is too old to be relied on, or something has none. */
export function isStale(holdings: readonly Holding[], now: Date): boolean {
  return holdings.some(
    ({ pricedAt, quoteRate }) => quoteRate === null || now.getTime() - Date.parse(pricedAt) > STALE_AFTER_MS,
  );
}
