import type { BadItem, Remarks } from './items.ts';

/** What became of a file. */
export interface Tally extends Remarks {
  /** Items that are in the graph now and were not before, or said something else. */
  stored: number;
  /** Items that the graph held already. */
  known: number;
  refused: number;
  /** The refused ones that come first in the file, in its order; at most 20. */
  firstRefused: BadItem[];
  /** Symbol of the instrument that had to be created. */
  created: string | null;
  /** Why the rest of the file could not be read. */
  failure: string | null;
  /** Whether somebody stopped the loader before the file's end. */
  stopped: boolean;
  seconds: number;
}

/** Refused rows shown of a file; the rest is counted. */
const SHOWN_LIMIT = 20;

export function newTally(): Tally {
  return {
    rows: 0,
    roundedSizes: 0,
    stored: 0,
    known: 0,
    refused: 0,
    firstRefused: [],
    created: null,
    failure: null,
    stopped: false,
    seconds: 0,
  };
}

/** Counts a refusal and keeps it when it is among the first; batches may answer out of order. */
export function noteRefusal(tally: Tally, refusal: BadItem): void {
  tally.refused++;
  const { firstRefused } = tally;
  const last = firstRefused.at(-1);
  if (firstRefused.length === SHOWN_LIMIT && last && last.line < refusal.line) return;
  firstRefused.push(refusal);
  firstRefused.sort((a, b) => a.line - b.line);
  firstRefused.splice(SHOWN_LIMIT);
}
