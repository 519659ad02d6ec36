/** Whether an order may be placed (domain.md §6.3, §10). */
import { type Decimal, dec, sum, ZERO } from '../../../platform/decimal.ts';
import { type BreakerState, lets } from './breaker.ts';
import { effectiveLimits, type LimitTerms, measured, type Subject } from './limit-terms.ts';
import { concentrationOf, grossExposure, type Holding } from './portfolio.ts';
import { utilisationOf } from './utilisation.ts';

export interface ProposedOrder {
  accountId: string;
  strategyId: string;
  instrumentId: string;
  side: 'buy' | 'sell';
  quantity: Decimal;
  /** USD for one unit of the base asset; null where no price says. */
  unitValue: Decimal | null;
}

/** An order that may still be filled. */
export interface OpenOrder {
  accountId: string;
  strategyId: string;
  instrumentId: string;
  side: 'buy' | 'sell';
  remaining: Decimal;
}

export interface TradingState {
  breaker: BreakerState;
  /** Of the account. */
  holdings: readonly Holding[];
  openOrders: readonly OpenOrder[];
}

export interface CheckResult<Limit> {
  name: string;
  isPassed: boolean;
  message: string;
  utilisation: Decimal | null;
  limit: Limit | null;
}

const FULL = dec(1);
const HUNDRED = dec(100);

/**
 * Looks at an order as if it and every open order on its side were filled. One that only reduces what is held passes every
 * limit, so that whoever is above one gets out.
 */
export function checkOrder<Limit extends LimitTerms>(
  order: ProposedOrder,
  state: TradingState,
  limits: readonly Limit[],
): CheckResult<Limit>[] {
  const ofAccount = holderOf(order, state, () => true);
  const ofStrategy = holderOf(order, state, ({ strategyId }) => strategyId === order.strategyId);
  const isReduction = ofStrategy.isReduction;
  const checks: CheckResult<Limit>[] = [checkBreaker(state.breaker, isReduction)];
  const { accountId, strategyId, instrumentId } = order;
  const place = { accountId, asset: null };
  const look = (subject: Subject, holder: Holder) => {
    for (const limit of effectiveLimits(limits, subject)) {
      const check = checkLimit(limit, holder, order);
      if (check) checks.push(check);
    }
  };
  look({ ...place, strategyId: null, instrumentId }, ofAccount);
  look({ ...place, strategyId: null, instrumentId: null }, ofAccount);
  look({ ...place, strategyId, instrumentId }, ofStrategy);
  look({ ...place, strategyId, instrumentId: null }, ofStrategy);
  return checks;
}

/** The highest utilisation that the order leads to, as a percentage of at most 100. */
export function scoreOf(checks: readonly CheckResult<unknown>[]): Decimal {
  const most = checks.reduce((worst, { utilisation }) => (utilisation?.gt(worst) ? utilisation : worst), ZERO);
  const isRefused = checks.some(({ isPassed }) => !isPassed);
  return isRefused || most.gte(FULL) ? HUNDRED : most.times(HUNDRED);
}

interface Holder {
  /** Units of the instrument once everything on the order's side is filled. */
  quantity: Decimal;
  /** What other instruments come to, in USD. */
  otherExposure: Decimal;
  isReduction: boolean;
}

function holderOf(
  order: ProposedOrder,
  { holdings, openOrders }: TradingState,
  isOwn: (part: { strategyId: string }) => boolean,
): Holder {
  const own = holdings.filter(isOwn);
  const here = own.filter(({ instrumentId }) => instrumentId === order.instrumentId);
  const held = sum(here.map(({ quantity }) => quantity));
  const waiting = openOrders.filter(
    (one) => isOwn(one) && one.instrumentId === order.instrumentId && one.side === order.side,
  );
  const amount = sum(waiting.map(({ remaining }) => remaining)).plus(order.quantity);
  const moved = order.side === 'buy' ? amount : amount.neg();
  const after = held.plus(moved);
  return {
    quantity: after,
    otherExposure: grossExposure(own.filter(({ instrumentId }) => instrumentId !== order.instrumentId)),
    isReduction: !held.isZero() && held.isPositive() !== moved.isPositive() && after.times(held).gte(0),
  };
}

function checkBreaker(breaker: BreakerState, isReduction: boolean): CheckResult<never> {
  const isPassed = lets(breaker, isReduction);
  const refusal = `The circuit breaker is ${breaker.toUpperCase()}: only reductions may be placed.`;
  const message = isPassed ? 'Trading may go on.' : refusal;
  return { name: 'circuit_breaker', isPassed, message, utilisation: null, limit: null };
}

function checkLimit<Limit extends LimitTerms>(
  limit: Limit,
  { quantity, otherExposure, isReduction }: Holder,
  { unitValue }: ProposedOrder,
): CheckResult<Limit> | null {
  const { limitType, strategyId } = limit;
  const name = strategyId === null ? limitType : `strategy_${limitType}`;
  if (limitType === 'position_size') return judge(limit, name, quantity, isReduction);
  if (limitType !== 'notional' && limitType !== 'concentration' && limitType !== 'total_exposure') return null;
  if (unitValue === null) {
    const message = isReduction ? 'It only reduces what is held.' : 'No price says what the order is worth.';
    return { name, isPassed: isReduction, message, utilisation: null, limit };
  }
  const value = quantity.times(unitValue);
  if (limitType === 'notional') return judge(limit, name, value, isReduction);
  const gross = otherExposure.plus(value.abs());
  if (limitType === 'total_exposure') return judge(limit, name, gross, isReduction);
  // What is held first is everything that is held: a share says nothing yet.
  if (otherExposure.isZero()) return null;
  return judge(limit, name, concentrationOf(value, gross) ?? ZERO, isReduction);
}

function judge<Limit extends LimitTerms>(
  limit: Limit,
  name: string,
  value: Decimal,
  isReduction: boolean,
): CheckResult<Limit> {
  const current = measured(value, limit.direction);
  const utilisation = utilisationOf(current, limit.thresholdValue);
  const isPassed = isReduction || utilisation.lt(FULL);
  const used = `${current.toDecimalPlaces(8).toFixed()} of ${limit.thresholdValue.toFixed()}`;
  const message = isPassed ? `It would use ${used}.` : `It would reach the limit: ${used}.`;
  return { name, isPassed, message, utilisation, limit };
}

/** What the holdings of one instrument are worth a unit, in USD; null where no price says. */
export function unitValueOf(price: Decimal | null, quoteRate: Decimal | null): Decimal | null {
  return price && quoteRate && price.times(quoteRate);
}
