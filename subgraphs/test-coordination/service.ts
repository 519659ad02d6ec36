/** What test coordination runs beside its requests: the runner, and the locks of what is disturbed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { loadLibrary } from './library/library.ts';
import { type TargetLocks, targetLocks } from './runner/locks.ts';
import { Runner } from './runner/runner.ts';

export interface TestCoordinationService {
  locks: TargetLocks;
  runner: Runner;
  /** Resolves once the shipped scenarios are stored. */
  loaded: Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS = 1_000; // 1 second

export function startTestCoordination(parts: ServiceParts): TestCoordinationService {
  const locks = targetLocks(parts);
  const runner = new Runner(parts, locks);
  const stopping = new AbortController();
  const loaded = load(parts, stopping.signal);
  return {
    locks,
    runner,
    loaded,
    async stop() {
      stopping.abort();
      await runner.stop();
      await loaded;
      locks.close();
    },
  };
}

/** Stores the shipped scenarios as soon as the database answers. */
async function load(parts: ServiceParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await loadLibrary(parts);
      return;
    } catch (error) {
      parts.log.warn({ err: error }, 'the shipped scenarios could not be stored; they will be');
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
