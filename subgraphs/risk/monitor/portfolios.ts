/** What a portfolio is exposed to and may lose, put together from what is in memory. */
import { Decimal, dec, sum, ZERO } from '../../../platform/decimal.ts';
import type { Limit } from '../limits/limits.ts';
import { usdRate } from '../rules/conversion.ts';
import { dailyChanges } from '../rules/daily-changes.ts';
import { type Measurement, measure, type PortfolioState } from '../rules/measures.ts';
import {
  byInstrument,
  concentrationOf,
  grossExposure,
  type Holding,
  leverageOf,
  netExposure,
  type RiskLevel,
  riskLevelOf,
  worthOf,
} from '../rules/portfolio.ts';
import { growthOf, maximumDrawdown, returnsOnCapital, sharpeRatio, sortinoRatio } from '../rules/returns.ts';
import { historicalRisk, parametricRisk } from '../rules/value-at-risk.ts';
import { type Book, isStale } from './book.ts';
import type { History } from './history.ts';
import type { BalanceBook, Returns } from './market.ts';

export interface RiskParameters {
  lookbackDays: number;
  /** Of the expected shortfall. */
  confidence: Decimal;
  method: 'historical' | 'parametric';
}

export const USUAL: RiskParameters = { lookbackDays: 30, confidence: dec('0.95'), method: 'historical' };

export interface Tail {
  var95: Decimal | null;
  var99: Decimal | null;
  expectedShortfall: Decimal | null;
  returnCount: number;
  isLowConfidence: boolean;
}

const NO_TAIL: Tail = { var95: null, var99: null, expectedShortfall: null, returnCount: 0, isLowConfidence: true };

/** What the days of the period have earned, and at what risk; null where there are too few. */
export interface Performance {
  sharpe: Decimal | null;
  sortino: Decimal | null;
  /** Deepest fall from a peak of what was earned. */
  maximumDrawdown: Decimal | null;
}

export interface PortfolioReport {
  accountId: string;
  level: RiskLevel;
  equity: Decimal | null;
  grossExposure: Decimal;
  netExposure: Decimal;
  unrealizedPnl: Decimal;
  realizedPnl: Decimal;
  totalPnl: Decimal;
  dailyPnl: Decimal;
  leverage: Decimal | null;
  drawdown: Decimal | null;
  performance: Performance;
  tail: Tail;
  holdings: Holding[];
  isStale: boolean;
  pricedAt: string | null;
  asOf: string;
}

/** Balances that are shown may be so old. */
const BALANCES_TTL_MS = 5_000;

export class Portfolios {
  readonly book: Book;
  readonly history: History;
  readonly balances: BalanceBook;
  private readonly returns: Returns;
  private readonly now: () => Date;
  /** The value at risk that limits are measured with, as it was calculated last. */
  private readonly tails = new Map<string, Tail>();

  constructor(parts: { book: Book; history: History; balances: BalanceBook; returns: Returns; now: () => Date }) {
    this.book = parts.book;
    this.history = parts.history;
    this.balances = parts.balances;
    this.returns = parts.returns;
    this.now = parts.now;
  }

  /** Everything about an account, with balances that are a few seconds old at most. */
  async report(accountId: string, parameters = USUAL): Promise<PortfolioReport> {
    await this.book.ready();
    await Promise.all([
      this.history.refresh(),
      this.balances.refresh([accountId], BALANCES_TTL_MS).catch(() => undefined),
    ]);
    await this.wantBalances([accountId]);
    const holdings = this.book.holdingsOf(accountId);
    const tail = await this.tailOf(holdings, parameters);
    if (parameters === USUAL) this.tails.set(accountId, tail);
    return this.put(accountId, holdings, tail);
  }

  /** What limits come to for an account, from memory alone. */
  measure(accountId: string, limits: readonly Limit[]): Measurement<Limit>[] {
    return measure(this.stateOf(accountId), limits);
  }

  isStale(accountId: string): boolean {
    return isStale(this.book.holdingsOf(accountId), this.now());
  }

  /** P&L of an account, realised and not, in USD. */
  totalPnl(accountId: string, holdings = this.book.holdingsOf(accountId)): Decimal {
    return this.unrealizedOf(holdings).plus(this.realizedOf(accountId));
  }

  equityOf(accountId: string): Decimal | null {
    const balances = this.balances.of(accountId);
    if (balances === null) return null;
    const prices = this.book.allPrices();
    return sum([...balances].map(([asset, units]) => units.times(usdRate(asset, prices) ?? ZERO)));
  }

  /** The prices that turn balances into USD are followed from now on. */
  async wantBalances(accountIds: readonly string[]): Promise<void> {
    const assets = accountIds.flatMap((accountId) => [...(this.balances.of(accountId)?.keys() ?? [])]);
    const prices = this.book.allPrices();
    const unknown = assets.filter((asset) => usdRate(asset, prices) === null);
    if (unknown.length > 0) await this.book.want(unknown.map((asset) => `${asset}-USD`)).catch(() => undefined);
  }

  /** What was lost in the worst of days, had today's positions been held then. */
  async tailOf(holdings: readonly Holding[], { lookbackDays, confidence, method }: RiskParameters): Promise<Tail> {
    const values = [...byInstrument(holdings)].map(([symbol, parts]) => ({ symbol, value: sum(parts.map(worthOf)) }));
    if (values.length === 0) return { ...NO_TAIL, var95: ZERO, var99: ZERO, expectedShortfall: ZERO };
    const bySymbol = await this.returns.of(values.map(({ symbol }) => symbol));
    const { changes, isPartial } = dailyChanges(values, bySymbol, lookbackDays);
    const one = dec(1);
    const at = historicalRisk(changes, one, confidence);
    if (at === null) return NO_TAIL;
    const [at95, at99] = [historicalRisk(changes, one, dec('0.95')), historicalRisk(changes, one, dec('0.99'))];
    const [flat95, flat99] = [parametricRisk(changes, one, '0.95'), parametricRisk(changes, one, '0.99')];
    const isHistorical = method === 'historical';
    const shortfall = isHistorical ? at.expectedShortfall : Decimal.max(at.expectedShortfall, flat95 ?? ZERO);
    return {
      var95: (isHistorical ? at95?.valueAtRisk : flat95) ?? null,
      var99: (isHistorical ? at99?.valueAtRisk : flat99) ?? null,
      expectedShortfall: shortfall,
      returnCount: changes.length,
      isLowConfidence: isPartial || at.isLowConfidence,
    };
  }

  put(accountId: string, holdings: Holding[], tail: Tail): PortfolioReport {
    const now = this.now();
    const gross = grossExposure(holdings);
    const equity = this.equityOf(accountId);
    const leverage = leverageOf(gross, equity);
    const unrealizedPnl = this.unrealizedOf(holdings);
    const realizedPnl = this.realizedOf(accountId);
    const totalPnl = unrealizedPnl.plus(realizedPnl);
    return {
      accountId,
      level: riskLevelOf(leverage, tail.var95, equity),
      equity,
      grossExposure: gross,
      netExposure: netExposure(holdings),
      unrealizedPnl,
      realizedPnl,
      totalPnl,
      dailyPnl: this.dailyPnl(accountId, totalPnl),
      leverage,
      drawdown: this.drawdownOf(accountId, equity),
      performance: this.performanceOf(accountId, equity, totalPnl),
      tail,
      holdings,
      isStale: isStale(holdings, now),
      pricedAt: oldest(holdings),
      asOf: now.toISOString(),
    };
  }

  private stateOf(accountId: string): PortfolioState {
    const holdings = this.book.holdingsOf(accountId);
    const equity = this.equityOf(accountId);
    return {
      accountId,
      holdings,
      equity,
      var99: this.tails.get(accountId)?.var99 ?? null,
      drawdown: this.drawdownOf(accountId, equity),
      dailyPnl: this.dailyPnl(accountId, this.totalPnl(accountId, holdings)),
      strategies: new Map([...this.book.strategiesOf(accountId)].map(([id, { dailyPnl }]) => [id, dailyPnl])),
    };
  }

  private dailyPnl(accountId: string, totalPnl: Decimal): Decimal {
    const { startOfDay } = this.history.of(accountId);
    return startOfDay === null ? ZERO : totalPnl.minus(startOfDay);
  }

  private drawdownOf(accountId: string, equity: Decimal | null): Decimal | null {
    const { peakEquity } = this.history.of(accountId);
    if (equity === null) return null;
    if (peakEquity === null || peakEquity.lte(equity) || peakEquity.lte(0)) return ZERO;
    const fall = peakEquity.minus(equity).div(peakEquity);
    return fall.gt(1) ? dec(1) : fall;
  }

  private performanceOf(accountId: string, equity: Decimal | null, totalPnl: Decimal): Performance {
    const { days } = this.history.of(accountId);
    const returns = returnsOnCapital(equity === null ? days : [...days, { equity, totalPnl }]);
    return {
      sharpe: sharpeRatio(returns),
      sortino: sortinoRatio(returns),
      maximumDrawdown: returns.length === 0 ? null : maximumDrawdown(growthOf(returns)),
    };
  }

  private unrealizedOf(holdings: readonly Holding[]): Decimal {
    return sum(
      holdings.map(({ unrealizedPnl, quoteRate }) => (quoteRate === null ? ZERO : unrealizedPnl.times(quoteRate))),
    );
  }

  private realizedOf(accountId: string): Decimal {
    return sum([...this.book.strategiesOf(accountId).values()].map(({ realizedPnl }) => realizedPnl));
  }
}

function oldest(holdings: readonly Holding[]): string | null {
  return holdings.reduce<string | null>(
    (first, { pricedAt }) => (first === null || Date.parse(pricedAt) < Date.parse(first) ? pricedAt : first),
    null,
  );
}

/** What an instrument has of a portfolio. */
export function exposures({ holdings, grossExposure: gross }: PortfolioReport) {
  return [...byInstrument(holdings)]
    .map(([symbol, parts]) => {
      const value = sum(parts.map(worthOf));
      const pnl = sum(
        parts.map(({ unrealizedPnl, quoteRate }) => (quoteRate === null ? ZERO : unrealizedPnl.times(quoteRate))),
      );
      return {
        symbol,
        quantity: sum(parts.map(({ quantity }) => quantity)),
        value,
        concentration: concentrationOf(value, gross),
        unrealizedPnl: pnl,
      };
    })
    .sort((a, b) => b.value.abs().cmp(a.value.abs()));
}
