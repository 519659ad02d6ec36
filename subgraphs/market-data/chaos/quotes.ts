/** What faults do to prices: those of a silent source are not taken, and a spread is wider than it was reported. */
import type { ActiveFaults } from '../../../platform/chaos/active-faults.ts';
import type { FaultRow } from '../../../platform/chaos/fault.ts';
import type { ParametersOf } from '../../../platform/chaos/parameters.ts';
import { refuse, type UserError } from '../../../platform/errors.ts';

/**
 * Why nothing is recorded of an instrument, or null. In an outage of its source nothing comes of it: what is published
 * stands still and grows old, and the source falls silent in its own health.
 */
export function silenceOf(faults: ActiveFaults): (symbol: string) => UserError | null {
  const silent = faults.of('STALE_DATA');
  if (silent.length === 0) return () => null;
  return (symbol) => {
    if (!silent.some((fault) => isAbout(fault, symbol))) return null;
    const message = `The source of ${symbol} is silent on purpose: nothing is recorded of it.`;
    return { ...refuse.domainUnavailable('market-data').userError, message };
  };
}

/** By how much the spread of each instrument is to be multiplied; null for those whose spread stays. */
export type Spreads = (symbol: string) => string | null;

export function spreadsOf(faults: ActiveFaults): Spreads {
  const wide = faults.of('SPREAD');
  return (symbol) => {
    const fault = wide.find((one) => isAbout(one, symbol));
    return fault ? (fault.parameters as ParametersOf<'SPREAD'>).multiplier : null;
  };
}

function isAbout({ parameters }: FaultRow, symbol: string): boolean {
  const { symbols } = parameters as ParametersOf<'STALE_DATA'>;
  return symbols === undefined || symbols.includes(symbol);
}
