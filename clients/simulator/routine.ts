/** Things that are done again and again; one that fails is tried again ever more slowly, and said once. */
import type { Logger } from '../../platform/log.ts';
import { codeOf, messageOf } from './commands.ts';
import { Stopped } from './stoppable.ts';
import type { Troubles } from './troubles.ts';

export interface Routine {
  name: string;
  everyMs: number;
  /** @throws anything: it is noted, and the routine run again later */
  run(nowMs: number): Promise<void>;
}

export interface Runner {
  /** Runs it once. Gives the milliseconds until it is to run again; never throws. */
  run(nowMs: number): Promise<number>;
}

const LONGEST_PAUSE_MS = 30_000; // 30 seconds: who brings a domain back sees the market move soon after
const SHORTEST_PAUSE_MS = 1_000; // 1 second

export function runnerOf(routine: Routine, { troubles, log }: { troubles: Troubles; log: Logger }): Runner {
  let failures = 0;
  let wasSaid = false;
  return {
    async run(nowMs) {
      try {
        await routine.run(nowMs);
        if (wasSaid) log.info(`${routine.name}: goes on`);
        failures = 0;
        wasSaid = false;
        return routine.everyMs;
      } catch (error) {
        if (error instanceof Stopped) return routine.everyMs;
        const pauseMs = pauseAfter(failures++);
        const said = troubles.note(`${routine.name} ${codeOf(error)}`, `${routine.name}: ${messageOf(error)}`);
        wasSaid ||= said;
        return pauseMs;
      }
    },
  };
}

/** How long to wait before the next attempt, after so many failures before this one. */
export function pauseAfter(failures: number): number {
  return Math.min(SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
}
