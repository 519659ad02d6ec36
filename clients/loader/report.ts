/** What a person reads of a load: the refused rows, a closing line a file, and one for all. */
import type { RecordedFile } from './items.ts';
import type { Kind } from './kinds.ts';
import type { Tally } from './tally.ts';

/** What the items of a kind are called. */
const NOUNS: Record<Kind, string> = {
  instruments: 'listings',
  bars: 'bars',
  trades: 'trades',
  quotes: 'quotes',
  'order-books': 'order books',
  'order-book-messages': 'order books',
};

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Complaints of a file: each refused row by file and line (the first 20), how many more, what could not be read. */
export function complaints({ path }: RecordedFile, tally: Tally): string[] {
  const shown = tally.firstRefused.map(({ line, reason }) => `${path}:${line}: ${reason.replace(/\.$/, '')}`);
  const more = tally.refused - shown.length;
  return [
    ...shown,
    ...(more > 0 ? [`${path}: ${WHOLE.format(more)} more refused`] : []),
    ...(tally.failure === null ? [] : [tally.failure]),
  ];
}

/** The closing line of a file, and beneath it what else is to be known. */
export function closing({ path, kind }: RecordedFile, tally: Tally): string[] {
  const { rows, stored, known, refused, created, roundedSizes, stopped } = tally;
  const counts = `${WHOLE.format(stored)} ${NOUNS[kind]} stored, ${WHOLE.format(known)} already there, ${WHOLE.format(refused)} refused`;
  return [
    `${path}: ${speed(rows, tally.seconds)}: ${counts}`,
    ...(created === null ? [] : [`  ${created} was not known and has been created`]),
    ...(roundedSizes === 0 ? [] : [`  ${WHOLE.format(roundedSizes)} sizes were rounded half-even to 8 decimals`]),
    ...(stopped ? ['  stopped before its end; run again to load the rest'] : []),
  ];
}

/** The closing line of several files. */
export function total(tallies: readonly Tally[]): string {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((before, tally) => before + of(tally), 0);
  const counts = `${WHOLE.format(sum((t) => t.stored))} stored, ${WHOLE.format(sum((t) => t.known))} already there, ${WHOLE.format(sum((t) => t.refused))} refused`;
  const rows = speed(
    sum((t) => t.rows),
    sum((t) => t.seconds),
  );
  return `${tallies.length} files: ${rows}: ${counts}`;
}

function speed(rows: number, seconds: number): string {
  const rate = WHOLE.format(rows / Math.max(seconds, 0.001));
  return `${WHOLE.format(rows)} rows in ${seconds.toFixed(1)} s (${rate} a second)`;
}
