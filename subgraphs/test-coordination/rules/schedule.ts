/** When a scenario is started by itself. */
import { Cron } from 'croner';
import { refuse } from '../../../platform/errors.ts';

const PARTS = 5;

/**
 * The next instant after `after` at which the schedule is due; null when there is none any more.
 * @param schedule cron of five parts, read in UTC
 * @throws Refusal (validation) when it is none
 */
export function nextRun(schedule: string, after: Date): Date | null {
  return cronOf(schedule).nextRun(after);
}

function cronOf(schedule: string): Cron {
  const wrong = (message: string) => refuse.validation(`schedule ${message}`, ['input', 'schedule']);
  const parts = schedule.trim().split(/\s+/);
  if (parts.length !== PARTS) throw wrong(`must have ${PARTS} parts, such as "30 6 * * 1", but got "${schedule}".`);
  try {
    return new Cron(schedule, { timezone: 'UTC', paused: true });
  } catch (error) {
    throw wrong(`is no cron expression: ${error instanceof Error ? error.message : error}`);
  }
}
