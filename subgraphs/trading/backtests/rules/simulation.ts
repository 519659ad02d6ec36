/**
 * Trading of one instrument over past bars. What is decided when a bar has closed is executed at the open of the next one,
 * never earlier: a run knows at no time what it could not have known then.
 */
import { Decimal, dec, round8 } from '../../../../platform/decimal.ts';
import { AMOUNT_LIMIT } from '../../rules/amounts.ts';
import { applyTrade, type Holding } from '../../rules/average-cost.ts';
import type { Side } from '../../rules/order-entry.ts';
import type { Bar } from './bars.ts';
import type { Signals, Target } from './signals.ts';

export interface Costs {
  /** Fraction of what is traded. */
  feeRate: Decimal;
  /** How much worse than the open it is executed. */
  slippageBps: Decimal;
}

export interface SimulatedTrade {
  instrumentId: string;
  side: Side;
  quantity: Decimal;
  price: Decimal;
  commission: Decimal;
  realizedPnl: Decimal;
  /** When the bar ended on whose close it was decided; milliseconds since 1970. */
  decidedAt: number;
  executedAt: number;
}

const BASIS_POINTS = 10_000;

export class Simulation {
  /** Realised P&L of each position that was closed. */
  readonly closed: Decimal[] = [];
  private readonly instrumentId: string;
  private readonly signals: Signals;
  private readonly costs: Costs;
  private readonly allocation: Decimal;
  private cash: Decimal;
  private held: Holding | null = null;
  private lastPrice = dec(0);
  private wanted: Target = 0;
  private decidedAt = 0;

  /** @param allocation part of the equity that a position takes */
  constructor(instrumentId: string, cash: Decimal, allocation: Decimal, signals: Signals, costs: Costs) {
    this.instrumentId = instrumentId;
    this.cash = cash;
    this.allocation = allocation;
    this.signals = signals;
    this.costs = costs;
  }

  /** What was traded at the bar's open; then its close is looked at. */
  next(bar: Bar): SimulatedTrade[] {
    const trades = this.execute(bar);
    this.lastPrice = bar.close;
    this.wanted = this.equity.gt(0) ? this.signals.next(bar) : 0; // who has lost everything closes what is left
    this.decidedAt = bar.end;
    return trades;
  }

  /** Cash, and what is held at the last close. */
  get equity(): Decimal {
    return this.cash.plus(round8(this.quantity.times(this.lastPrice)));
  }

  /** What the open position would add if it were closed at the last close. */
  get unrealizedPnl(): Decimal {
    if (!this.held) return dec(0);
    return round8(this.quantity.times(this.lastPrice.minus(this.held.averageEntryPrice)));
  }

  private get quantity(): Decimal {
    return this.held?.quantity ?? dec(0);
  }

  private execute(bar: Bar): SimulatedTrade[] {
    const direction = this.quantity.cmp(0);
    if (this.wanted === direction) return [];
    const trades: SimulatedTrade[] = [];
    if (this.held) trades.push(this.trade(direction > 0 ? 'sell' : 'buy', this.quantity.abs(), bar));
    if (this.wanted !== 0) {
      const side = this.wanted > 0 ? 'buy' : 'sell';
      const quantity = this.affordable(side, bar.open);
      if (quantity.gt(0)) trades.push(this.trade(side, quantity, bar));
    }
    return trades;
  }

  /** How much the part of the equity that a position may take buys, fees included; nothing is held. */
  private affordable(side: Side, open: Decimal): Decimal {
    const unit = this.priceOf(side, open).times(this.costs.feeRate.plus(1));
    const quantity = this.cash.times(this.allocation).div(unit);
    if (quantity.lte(0)) return dec(0);
    return Decimal.min(quantity, AMOUNT_LIMIT.minus(1)).toDecimalPlaces(8, Decimal.ROUND_DOWN);
  }

  private priceOf(side: Side, open: Decimal): Decimal {
    const worse = this.costs.slippageBps.div(BASIS_POINTS).times(side === 'buy' ? 1 : -1);
    return round8(open.times(worse.plus(1)));
  }

  private trade(side: Side, quantity: Decimal, bar: Bar): SimulatedTrade {
    const price = this.priceOf(side, bar.open);
    const gross = round8(quantity.times(price));
    const commission = round8(gross.times(this.costs.feeRate));
    const { held, opened, realizedPnl } = applyTrade(this.held, { side, quantity, price, commission });
    if (held?.quantity.isZero()) this.closed.push(held.realizedPnl);
    this.held = opened ?? (held?.quantity.isZero() ? null : held);
    this.cash = this.cash.plus(side === 'buy' ? gross.negated() : gross).minus(commission);
    const { instrumentId, decidedAt } = this;
    return { instrumentId, side, quantity, price, commission, realizedPnl, decidedAt, executedAt: bar.start };
  }
}
