/** What compliance makes of what is known about a transfer (domain.md §4). FAIL rejects it; REVIEW may hold it. */
import { type Decimal, dec, sum, toWire } from '../../../platform/decimal.ts';

export type ComplianceKind = 'AML' | 'KYC' | 'VELOCITY' | 'CONCENTRATION' | 'COUNTERPARTY' | 'SANCTIONS';
export type ComplianceResult = 'PASS' | 'REVIEW' | 'FAIL';

/** What a check found. */
export interface Finding {
  kind: ComplianceKind;
  result: ComplianceResult;
  details: string;
}

/**
 * What holds a transfer until compliance has decided. The others inform those who approve it: what may be laundered takes
 * two of them at least, and that something leaves the custodian is no doubt about it.
 */
const HOLDING: readonly ComplianceKind[] = ['KYC', 'VELOCITY', 'CONCENTRATION'];

/** Whether a transfer waits for a decision of compliance. What stays the same client's never does. */
export function isToBeReviewed(findings: readonly Finding[], isToSelf: boolean): boolean {
  return !isToSelf && findings.some(({ kind, result }) => result === 'REVIEW' && HOLDING.includes(kind));
}

export type KycStatus = 'PENDING' | 'APPROVED' | 'REJECTED';

/** Whether the client is known, by the exchange accounts that its custody accounts stand for. */
export function kycFinding(statuses: readonly KycStatus[]): Finding {
  const finding = (result: ComplianceResult, details: string): Finding => ({ kind: 'KYC', result, details });
  if (statuses.includes('REJECTED'))
    return finding('FAIL', 'The exchange has rejected the identification of the client.');
  if (statuses.length === 0) return finding('REVIEW', 'No account at the exchange says who the client is.');
  if (statuses.includes('PENDING')) return finding('REVIEW', 'The identification of the client is not complete.');
  return finding('PASS', 'The client is identified.');
}

export interface AmlTerms {
  /** From this on a transfer must be looked at, in US dollars. */
  reviewUsd: Decimal;
  /** So many transfers within a day that are just below that are one that was cut in pieces. */
  structuringCount: number;
}

/** From this share of the threshold on a transfer is just below it. */
const JUST_BELOW = dec('0.8');

/**
 * Whether money is moved between owners as those do who hide it.
 * @param earlier values of the client's transfers to other owners within a day, in US dollars
 */
export function amlFinding(
  { usdValue, earlier, isToSelf }: { usdValue: Decimal; earlier: readonly Decimal[]; isToSelf: boolean },
  { reviewUsd, structuringCount }: AmlTerms,
): Finding {
  const finding = (result: ComplianceResult, details: string): Finding => ({ kind: 'AML', result, details });
  if (isToSelf) return finding('PASS', 'It stays the same client’s.');
  if (usdValue.gte(reviewUsd)) {
    return finding('REVIEW', `From ${toWire(reviewUsd)} US dollars on somebody looks where it comes from.`);
  }
  const isJustBelow = (value: Decimal) => value.lt(reviewUsd) && value.gte(reviewUsd.times(JUST_BELOW));
  const pieces = [...earlier, usdValue].filter(isJustBelow).length;
  if (!isJustBelow(usdValue) || pieces < structuringCount) return finding('PASS', 'Nothing is odd about it.');
  return finding('FAIL', `It is number ${pieces} within 24 hours that is just below ${toWire(reviewUsd)} US dollars.`);
}

export interface ConcentrationTerms {
  /** Shares in percent: from the one on somebody looks, above the other it is rejected. */
  reviewPercent: Decimal;
  limitPercent: Decimal;
}

const HUNDRED = dec(100);

/**
 * How much of what the receiver keeps here would be the one asset.
 * @param values what the receiver has of each asset once the transfer is done, in US dollars; money is no concentration
 */
export function concentrationFinding(
  asset: string,
  isCash: boolean,
  values: ReadonlyMap<string, Decimal>,
  { reviewPercent, limitPercent }: ConcentrationTerms,
): Finding {
  const finding = (result: ComplianceResult, details: string): Finding => ({ kind: 'CONCENTRATION', result, details });
  const total = sum([...values.values()]);
  if (isCash || total.isZero()) return finding('PASS', 'It is money, or nothing that has a price.');
  const share = (values.get(asset) ?? dec(0)).div(total).times(HUNDRED).toDecimalPlaces(2);
  const details = `${asset} would be ${toWire(share)} % of what the receiver keeps here.`;
  if (share.gt(limitPercent)) return finding('FAIL', details);
  return finding(share.gte(reviewPercent) ? 'REVIEW' : 'PASS', details);
}
