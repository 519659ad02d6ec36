/** What of the market's history must stay (domain.md §2.2: never below what is needed). */
import { refuse } from '../../../../platform/errors.ts';

/** The price 24 hours before a tick is looked for in the day that ended then. */
const KEPT_MS = 48 * 3_600_000; // two days

/** @throws Refusal (validation) when `before` (RFC 3339) lies within the last two days */
export function checkPurgeWindow(before: string, nowMs: number): void {
  const latestMs = nowMs - KEPT_MS;
  if (Date.parse(before) <= latestMs) return;
  const latest = new Date(latestMs).toISOString();
  throw refuse.validation(`The last two days stay: before must be ${latest} or earlier, but got ${before}.`, [
    'input',
    'before',
  ]);
}
