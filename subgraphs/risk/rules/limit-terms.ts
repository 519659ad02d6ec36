/** What a limit may say: its kind, what it applies to, and which of several is in force (domain.md §5.1). */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

export const LIMIT_TYPES = [
  'position_size',
  'notional',
  'concentration',
  'total_exposure',
  'leverage',
  'var',
  'daily_loss',
  'drawdown',
  'delta',
  'counterparty',
] as const;
export type LimitType = (typeof LIMIT_TYPES)[number];

export const DIRECTIONS = ['long', 'short', 'both'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What a limit is about. A null part means every one, each by itself. */
export interface LimitScope {
  instrumentId: string | null;
  asset: string | null;
  accountId: string | null;
  strategyId: string | null;
}

export interface LimitTerms extends LimitScope {
  limitType: LimitType;
  direction: Direction;
  thresholdValue: Decimal;
  /** In the unit of the threshold, below it. */
  warningValue: Decimal | null;
}

/** Something that is measured: one instrument of an account, an account as a whole, a strategy. */
export type Subject = LimitScope;

/** What measures one instrument, what one asset, and what a portfolio as a whole. */
const PER_INSTRUMENT: readonly LimitType[] = ['position_size', 'notional', 'concentration'];
const PER_ASSET: readonly LimitType[] = ['delta'];
/** What can be measured of a strategy alone. */
const OF_STRATEGIES: readonly LimitType[] = ['position_size', 'notional', 'total_exposure', 'daily_loss'];
/** What has a side. */
const DIRECTED: readonly LimitType[] = ['position_size', 'notional', 'delta'];

export function isPerInstrument(type: LimitType): boolean {
  return PER_INSTRUMENT.includes(type);
}

export function isPerAsset(type: LimitType): boolean {
  return PER_ASSET.includes(type);
}

const WARNING_OF_POSITIONS = dec('0.8');
const WARNING_OF_MONEY = dec('0.75');

/** The share of the threshold from which a warning is given, where the limit does not say. */
function defaultWarning(type: LimitType): Decimal {
  return type === 'position_size' || type === 'delta' ? WARNING_OF_POSITIONS : WARNING_OF_MONEY;
}

/** The share of the threshold from which a warning is given. */
export function warningShare({ limitType, thresholdValue, warningValue }: LimitTerms): Decimal {
  return warningValue === null ? defaultWarning(limitType) : warningValue.div(thresholdValue);
}

/** @throws Refusal (validation) when the parts of a limit do not go together */
export function checkTerms(terms: LimitTerms): void {
  const { limitType, direction, thresholdValue, warningValue, instrumentId, asset, strategyId } = terms;
  const name = limitType.toUpperCase();
  if (thresholdValue.lte(0)) {
    throw refuse.validation(`threshold must be positive, but got ${thresholdValue.toFixed()}.`, ['input', 'threshold']);
  }
  if (warningValue && (warningValue.lte(0) || warningValue.gte(thresholdValue))) {
    const message = `warning must be positive and below the threshold, but got ${warningValue.toFixed()}.`;
    throw refuse.validation(message, ['input', 'warning']);
  }
  if (direction !== 'both' && !DIRECTED.includes(limitType)) {
    throw refuse.validation(`A limit of ${name} has no side: its direction is BOTH.`, ['input', 'direction']);
  }
  if (instrumentId !== null && !isPerInstrument(limitType)) {
    throw refuse.validation(`A limit of ${name} is not about one instrument.`, ['input', 'scope', 'symbol']);
  }
  if (isPerAsset(limitType) !== (asset !== null)) {
    const message = asset === null ? `A limit of ${name} names an asset.` : `A limit of ${name} is not about an asset.`;
    throw refuse.validation(message, ['input', 'scope', 'asset']);
  }
  if (strategyId !== null && !OF_STRATEGIES.includes(limitType)) {
    throw refuse.validation(`A limit of ${name} is not about one strategy.`, ['input', 'scope', 'strategyId']);
  }
}

/** How closely a limit is cut to what it names: a strategy before an account, an account before an instrument. */
function specificity({ strategyId, accountId, instrumentId, direction }: LimitTerms): number {
  return (
    (strategyId === null ? 0 : 8) +
    (accountId === null ? 0 : 4) +
    (instrumentId === null ? 0 : 2) +
    (direction === 'both' ? 0 : 1)
  );
}

/**
 * Whether the limit is about the subject. One that names a strategy is measured of that strategy alone, one that does not
 * of accounts: else every limit would count twice.
 */
export function appliesTo(limit: LimitTerms, subject: Subject): boolean {
  return (
    limit.strategyId === subject.strategyId &&
    (limit.accountId === null || limit.accountId === subject.accountId) &&
    (limit.instrumentId === null || limit.instrumentId === subject.instrumentId) &&
    isPerInstrument(limit.limitType) === (subject.instrumentId !== null) &&
    limit.asset === subject.asset
  );
}

const SIDES = { long: ['long'], short: ['short'], both: ['long', 'short'] } as const;

/** The limits in force for a subject, one of each type and side: of those that apply the most specific. */
export function effectiveLimits<Limit extends LimitTerms>(limits: readonly Limit[], subject: Subject): Limit[] {
  const best = new Map<string, Limit>();
  for (const limit of limits) {
    if (!appliesTo(limit, subject)) continue;
    for (const side of SIDES[limit.direction]) {
      const place = `${limit.limitType} ${side}`;
      const known = best.get(place);
      if (!known || specificity(limit) > specificity(known)) best.set(place, limit);
    }
  }
  return [...new Set(best.values())];
}

/** What is measured of a limit with a side; the other side does not use it up. */
export function measured(current: Decimal, direction: Direction): Decimal {
  if (direction === 'both') return current;
  const isThatSide = direction === 'long' ? current.gt(0) : current.lt(0);
  return isThatSide ? current : dec(0);
}

/**
 * Whether a change lets more through than before: it needs a second person. A limit that is new or enabled again loosens
 * when it takes the place of a stricter one that is less specific.
 *
 * @param before the terms in force until now for the limit's own scope; null where there were none
 * @param after the terms in force from now on; null where there are none
 */
export function loosens(
  before: Pick<LimitTerms, 'thresholdValue'> | null,
  after: Pick<LimitTerms, 'thresholdValue'> | null,
): boolean {
  if (before === null) return false;
  return after === null || after.thresholdValue.gt(before.thresholdValue);
}

/** Whether there is something that both are about, of which the other is in force, being more specific. */
export function givesWayTo(limit: LimitTerms, other: LimitTerms): boolean {
  const meets = (one: string | null, two: string | null) => one === null || two === null || one === two;
  return (
    limit.limitType === other.limitType &&
    limit.asset === other.asset &&
    limit.strategyId === other.strategyId &&
    meets(limit.accountId, other.accountId) &&
    meets(limit.instrumentId, other.instrumentId) &&
    SIDES[limit.direction].some((side) => (SIDES[other.direction] as readonly string[]).includes(side)) &&
    specificity(limit) < specificity(other)
  );
}
