import { refuse } from './errors.ts';

/**
 * Passes when nothing is expected, or what is there. Version 0 is that of nothing.
 * @param absent what is said when a version is expected of something that is not there
 * @throws Refusal (conflict) otherwise
 */
export function checkVersion(version: number, expected: number | null | undefined, absent: string): void {
  if (expected === null || expected === undefined || expected === version) return;
  if (version > 0) throw refuse.conflict(version);
  throw refuse.conflict(null, absent, ['input', 'expectedVersion']);
}
