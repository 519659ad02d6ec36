/** What comes of a managed trade (domain.md §12.1). Leverage enters by the margin only. */
import { type Decimal, dec, round8, toWire } from '../../../../platform/decimal.ts';
import type { ManagedTrade, TradeSide } from './managed-trade.ts';

/** Share of the entry value that must be left of the margin before a trade is liquidated. */
export const MAINTENANCE = dec('0.005');

/** +1 for a long trade, −1 for a short one: a price that moves this way is in the trade's favour. */
export function directionOf(side: TradeSide): 1 | -1 {
  return side === 'long' ? 1 : -1;
}

/** What a part of the trade gains between its entry and a price, before fees; not rounded. */
export function grossPnl(trade: { side: TradeSide; entryPrice: string }, price: Decimal, quantity: Decimal): Decimal {
  return price.minus(trade.entryPrice).times(quantity).times(directionOf(trade.side));
}

/** The price at which the margin would be used up. */
export function liquidationPrice(side: TradeSide, entryPrice: Decimal, leverage: Decimal): Decimal {
  const share = dec(1).div(leverage).minus(MAINTENANCE).times(directionOf(side));
  return round8(entryPrice.times(dec(1).minus(share)));
}

/** Initial quantity × entry price ÷ leverage. */
export function marginOf(initialQuantity: Decimal, entryPrice: Decimal, leverage: Decimal): Decimal {
  return round8(initialQuantity.times(entryPrice).div(leverage));
}

export interface Results {
  /** Of what is left at the price, before fees, without partial exits. */
  gross: Decimal;
  /** Gross and partial exits, less every fee. */
  net: Decimal;
  /** Net in percent of the margin; 0 without one. */
  percent: Decimal;
  /** Distance from the entry in units of the initial risk; null where there was no stop, or it risked nothing. */
  rMultiple: Decimal | null;
  /** Net in units of what the initial stop risked. */
  netRMultiple: Decimal | null;
}

type Opened = Omit<ManagedTrade, 'entryPrice'> & { entryPrice: string };

/** The results of an open trade if all that is left of it were closed at the price, rounded half-even to 8 places. */
export function resultsAt(trade: Opened, price: Decimal): Results {
  const gross = grossPnl(trade, price, dec(trade.quantity));
  const fees = dec(trade.entryFeeUsd).plus(trade.exitFeeUsd).plus(trade.fundingFeesUsd);
  const net = gross.plus(trade.realizedPartialPnlUsd).minus(fees);
  const margin = dec(trade.marginUsd);
  const risk = riskOf(trade);
  return {
    gross: round8(gross),
    net: round8(net),
    percent: margin.isZero() ? dec(0) : round8(net.div(margin).times(100)),
    rMultiple: risk && round8(grossPnl(trade, price, dec(1)).div(risk)),
    netRMultiple: risk && round8(net.div(risk.times(trade.initialQuantity))),
  };
}

/** Distance from the entry to the initial stop; null where there is none, or the stop does not lie on its side. */
function riskOf({ side, entryPrice, initialSlPrice }: Opened): Decimal | null {
  if (initialSlPrice === null) return null;
  const risk = dec(entryPrice).minus(initialSlPrice).times(directionOf(side));
  return risk.gt(0) ? risk : null;
}

/** Whether a trade has been entered, so that results can be had. */
export function isEntered(trade: ManagedTrade): trade is Opened {
  return trade.entryPrice !== null;
}

/** A decimal as stores hold it. */
export function amount(value: Decimal): string {
  return toWire(round8(value));
}
