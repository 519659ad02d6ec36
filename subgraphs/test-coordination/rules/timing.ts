/** Planned times, and what acceleration makes of them. */
import type { Definition } from './definition.ts';

/** A run is ended after this, where its scenario does not say (domain.md §7.3). */
const TIMEOUT_SECONDS = 2 * 3_600;

/** What has to be detected may take this long however much time is accelerated: the ecosystem itself is not. */
export const LEAST_DEADLINE_MS = 15_000;

/** Setting up and setting right take as long as they take, however much time is accelerated. */
const LEAST_TIMEOUT_MS = 120_000; // 2 minutes

export const LEAST_SCALE = 1;
export const MOST_SCALE = 1_000_000;

/** What the phases take as planned, in milliseconds. */
export function plannedMs({ phases }: Pick<Definition, 'phases'>): number {
  return Math.round(phases.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0) * 1_000);
}

/** After how long a run is ended, in milliseconds, when nothing is accelerated. */
export function timeoutMs(whole: Pick<Definition, 'phases' | 'timeoutSeconds'>): number {
  return whole.timeoutSeconds === undefined
    ? Math.max(TIMEOUT_SECONDS * 1_000, plannedMs(whole) * 2)
    : Math.round(whole.timeoutSeconds * 1_000);
}

/** A planned time in the time of the run, in milliseconds. */
export function scaledMs(seconds: number, timeScale: number): number {
  return Math.round((seconds * 1_000) / timeScale);
}

/** A deadline in the time of the run, in milliseconds. */
export function deadlineMs(seconds: number, timeScale: number): number {
  return Math.max(scaledMs(seconds, timeScale), LEAST_DEADLINE_MS);
}

/** After how long a run is ended in its own time, in milliseconds. */
export function scaledTimeoutMs(timeout: number, timeScale: number): number {
  return timeScale === 1 ? timeout : Math.max(Math.round(timeout / timeScale), LEAST_TIMEOUT_MS);
}
