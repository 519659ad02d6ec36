/** What each limit in force comes to for a portfolio (domain.md §5.1, §12.4). */
import { type Decimal, sum, ZERO } from '../../../platform/decimal.ts';
import { effectiveLimits, type LimitTerms, type LimitType, measured, type Subject } from './limit-terms.ts';
import {
  byInstrument,
  concentrationOf,
  deltas,
  grossExposure,
  type Holding,
  leverageOf,
  worthOf,
} from './portfolio.ts';
import { utilisationOf } from './utilisation.ts';

/** What is known of an account; null where it is not known. */
export interface PortfolioState {
  accountId: string;
  holdings: readonly Holding[];
  equity: Decimal | null;
  var99: Decimal | null;
  drawdown: Decimal | null;
  /** Since midnight UTC; negative where money was lost. */
  dailyPnl: Decimal;
  /** Realised today, by strategy. */
  strategies: ReadonlyMap<string, Decimal>;
}

export interface Measurement<Limit extends LimitTerms> {
  limit: Limit;
  subject: Subject;
  current: Decimal;
  utilisation: Decimal;
}

/** Everything that limits say something about, measured. What is not known is left out. */
export function measure<Limit extends LimitTerms>(
  portfolio: PortfolioState,
  limits: readonly Limit[],
): Measurement<Limit>[] {
  const { accountId, holdings } = portfolio;
  const found = measureHolder(portfolio, holdings, null, limits);
  const named = new Set(limits.flatMap(({ strategyId }) => (strategyId === null ? [] : [strategyId])));
  for (const strategyId of portfolio.strategies.keys()) {
    if (!named.has(strategyId)) continue;
    const own = holdings.filter((holding) => holding.strategyId === strategyId);
    found.push(...measureHolder({ ...portfolio, accountId }, own, strategyId, limits));
  }
  return found;
}

function measureHolder<Limit extends LimitTerms>(
  portfolio: PortfolioState,
  holdings: readonly Holding[],
  strategyId: string | null,
  limits: readonly Limit[],
): Measurement<Limit>[] {
  const found: Measurement<Limit>[] = [];
  const whole: Subject = { accountId: portfolio.accountId, strategyId, instrumentId: null, asset: null };
  const gross = grossExposure(holdings);
  const look = (subject: Subject, currentOf: (type: LimitType) => Decimal | null) => {
    for (const limit of effectiveLimits(limits, subject)) {
      const value = currentOf(limit.limitType);
      if (value === null) continue;
      const current = measured(value, limit.direction);
      found.push({ limit, subject, current, utilisation: utilisationOf(current, limit.thresholdValue) });
    }
  };
  look(whole, (type) => ofPortfolio(type, portfolio, gross, strategyId));
  for (const [instrumentId, parts] of byInstrument(holdings)) {
    const quantity = sum(parts.map((part) => part.quantity));
    const value = sum(parts.map(worthOf));
    look({ ...whole, instrumentId }, (type) => ofInstrument(type, quantity, value, gross));
  }
  if (strategyId === null && limits.some(({ asset }) => asset !== null)) {
    for (const [asset, units] of deltas(holdings)) {
      look({ ...whole, asset }, (type) => (type === 'delta' ? units : null));
    }
  }
  return found;
}

function ofInstrument(type: LimitType, quantity: Decimal, value: Decimal, gross: Decimal): Decimal | null {
  if (type === 'position_size') return quantity;
  if (type === 'notional') return value;
  return type === 'concentration' ? concentrationOf(value, gross) : null;
}

function ofPortfolio(
  type: LimitType,
  { equity, var99, drawdown, dailyPnl, strategies }: PortfolioState,
  gross: Decimal,
  strategyId: string | null,
): Decimal | null {
  const loss = (pnl: Decimal) => (pnl.lt(0) ? pnl.neg() : ZERO);
  switch (type) {
    case 'total_exposure':
      return gross;
    case 'daily_loss':
      return loss(strategyId === null ? dailyPnl : (strategies.get(strategyId) ?? ZERO));
    case 'leverage':
      return leverageOf(gross, equity);
    case 'var':
      return var99;
    case 'drawdown':
      return drawdown;
    case 'counterparty':
      return equity;
    default:
      return null;
  }
}
