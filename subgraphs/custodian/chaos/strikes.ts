/** What faults do to settlements and to calendars. */
import { createHash } from 'node:crypto';
import type { ActiveFaults } from '../../../platform/chaos/active-faults.ts';
import type { FaultRow } from '../../../platform/chaos/fault.ts';
import type { ParametersOf } from '../../../platform/chaos/parameters.ts';
import type { Calendars } from '../calendar/business-days.ts';

const REGIONS = ['US_NY', 'GB', 'EU_TARGET', 'JP'] as const;

/** The calendars with the holidays that are there on purpose, while they are. */
export function withHolidays(calendars: Calendars, faults: ActiveFaults): Calendars {
  const holidays = faults.of('HOLIDAY');
  if (holidays.length === 0) return calendars;
  const days = holidays.flatMap(({ parameters }) => {
    const { date, calendar } = parameters as ParametersOf<'HOLIDAY'>;
    return (calendar === undefined ? REGIONS : [calendar]).map((region) => [`${region} ${date}`, true] as const);
  });
  return new Map([...calendars, ...days]);
}

/** Whether anything holds up settlements now, so that the end of it is to be seen soon. */
export function isHeldUp(faults: ActiveFaults): boolean {
  return faults.of('SETTLEMENT_DELAY').length > 0 || faults.of('HOLIDAY').length > 0;
}

/** Why a settlement that is due must wait on, or null. */
export function delayOf(faults: ActiveFaults, dueAt: Date, asOf: Date): string | null {
  const delays = faults.of('SETTLEMENT_DELAY');
  const [seconds = 0] = delays.map(({ parameters }) => (parameters as ParametersOf<'SETTLEMENT_DELAY'>).delaySeconds);
  const until = new Date(dueAt.getTime() + seconds * 1_000);
  return asOf < until ? `Settlements are delayed by ${seconds} s on purpose (fault ${namesOf(delays)}).` : null;
}

/**
 * Why a settlement fails, or null. Its id says whether it is among the share that does, so that the same settlement does
 * not fail at one look and succeed at the next.
 */
export function failureOf(faults: ActiveFaults, settlementId: string): string | null {
  const fault = faults.of('SETTLEMENT_FAILURE').find(({ faultId, parameters }) => {
    const { share } = parameters as ParametersOf<'SETTLEMENT_FAILURE'>;
    return drawOf(`${faultId} ${settlementId}`) < Number(share);
  });
  return fault ? `The settlement failed on purpose (fault ${fault.faultId}).` : null;
}

/** A number from 0 to below 1, always the same for a text. */
function drawOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

function namesOf(faults: readonly FaultRow[]): string {
  return faults.map(({ faultId }) => faultId).join(', ');
}
