/** What a process of a domain does about the faults that it suffers: its gate, its pauses and its restarts. */
import type { GraphQLSchema } from 'graphql';
import type { Complaint } from '../health.ts';
import { type ActiveFaults, NO_FAULTS } from './active-faults.ts';
import { FaultWatch, type WatchParts } from './fault-watch.ts';
import { Gate } from './gate.ts';
import type { StruckDomain } from './kinds.ts';

/** The domain, as far as faults concern it. */
export interface Struck {
  /** Stops what the domain does beside its requests. */
  pause(): Promise<void>;
  /** Starts that anew. */
  resume(): void;
  /** Replaces everything that the domain has in memory, and its connections. It is paused, before and after. */
  renew(): Promise<Pick<WatchParts, 'db' | 'feed'>>;
}

export interface Chaos {
  readonly faults: ActiveFaults;
  /** Puts the gate before the root fields. */
  guard(schema: GraphQLSchema): void;
  /** Begins to honour faults that are about the domain as a whole. */
  begin(struck: Struck): void;
  complaints(): readonly Complaint[];
  /** Nothing is paused or renewed any more afterwards. */
  stop(): Promise<void>;
}

/** Where chaos is off. */
export const NO_CHAOS: Chaos = {
  faults: NO_FAULTS,
  guard: () => undefined,
  begin: () => undefined,
  complaints: () => [],
  stop: async () => undefined,
};

/** What has begun is waited for, so long at most, before the domain goes down. */
const DRAIN_MS = 5_000; // 5 seconds

export function startChaos(domain: StruckDomain, parts: WatchParts): Chaos {
  const { log } = parts;
  const faults = new FaultWatch(parts);
  const gate = new Gate(domain, faults);
  let restarted: Set<string> | undefined;
  let isDown = false;
  let isStopped = false;
  let work: Promise<void> = Promise.resolve();

  /** Brings the domain to where its faults want it. */
  async function follow(struck: Struck): Promise<void> {
    const wanted = faults.of('RESTART').filter(({ faultId }) => !restarted?.has(faultId));
    for (const { faultId } of wanted) restarted?.add(faultId);
    const mustRestart = wanted.length > 0;
    const mustBeDown = faults.of('DOWNTIME').length > 0;
    if (isStopped) return;
    if (!mustRestart && mustBeDown === isDown) {
      if (!isDown) gate.open(); // it was shut for a fault that ended at once
      return;
    }
    gate.shut();
    if (!isDown) {
      await gate.drain(DRAIN_MS);
      await struck.pause();
    }
    if (mustRestart) {
      faults.follow(await struck.renew());
      gate.cut();
    }
    isDown = mustBeDown;
    if (!mustBeDown) {
      struck.resume();
      gate.open();
    }
    log.info({ restarted: mustRestart, isDown }, 'the domain suffers on purpose');
  }

  return {
    faults,
    guard: (schema) => gate.guard(schema),
    begin(struck) {
      const next = () => {
        work = work
          .then(() => follow(struck))
          .catch((error: unknown) => log.error({ err: error }, 'a fault could not be honoured'));
      };
      // A process that starts while a RESTART lasts has just done it.
      void faults.refresh().then(() => {
        restarted = new Set(faults.of('RESTART').map(({ faultId }) => faultId));
        faults.onChange = () => {
          if (faults.of('DOWNTIME').length > 0) gate.shut();
          next();
        };
        next();
      });
    },
    complaints: () =>
      faults.all().map(({ faultId, kind }) => ({
        status: kind === 'DOWNTIME' ? 'UNHEALTHY' : 'DEGRADED',
        reason: `It suffers ${kind} on purpose (fault ${faultId}).`,
      })),
    async stop() {
      isStopped = true;
      gate.close();
      await faults.stop();
      await work;
    },
  };
}
