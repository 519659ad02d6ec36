/**
 * Leaves a subgraph alone that does not answer, so that whoever needs it is told at once instead of after a wait. It is
 * asked for a sign of life meanwhile, and for answers again as soon as it gives one.
 */
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Logger } from '../../platform/log.ts';
import { CircuitOpen, DomainUnavailable } from './domain-unavailable.ts';

/** Failures to answer, one after the other, after which a subgraph is left alone (domain.md §1.11). */
export const FAILURES = 5;

/** So long, where it gives no sign of life; then one call tries it. */
const REST_MS = 60_000; // a minute

/** How often a subgraph that is left alone is asked for a sign of life. */
const PROBE_INTERVAL_MS = 1_000; // 1 second

export interface Circuit {
  /**
   * What the call gives.
   * @throws CircuitOpen at once, without calling, while the subgraph is left alone
   * @throws what the call throws; DomainUnavailable counts as a failure to answer
   */
  pass<Answer>(call: () => Promise<Answer>): Promise<Answer>;
  /** Asks for no sign of life any more. */
  close(): void;
}

export interface CircuitOptions {
  domain: string;
  /** Whether the subgraph answers anything at all. Never rejects. */
  isThere(): Promise<boolean>;
  log: Logger;
}

export function createCircuit({ domain, isThere, log }: CircuitOptions): Circuit {
  let breaker = createBreaker();
  /** Set while the subgraph is left alone. */
  let probing: NodeJS.Timeout | undefined;
  let isClosed = false;

  function createBreaker() {
    const created = circuitBreaker(
      handleWhen((error) => error instanceof DomainUnavailable),
      { halfOpenAfter: REST_MS, breaker: new ConsecutiveBreaker(FAILURES) },
    );
    // What was sent before a sign of life says nothing about the time after it.
    created.onBreak(() => created === breaker && rest());
    created.onReset(() => created === breaker && resume());
    return created;
  }

  function rest(): void {
    if (probing || isClosed) return;
    log.warn({ domain }, 'a domain is left alone');
    probing = setTimeout(probe, PROBE_INTERVAL_MS).unref();
  }

  async function probe(): Promise<void> {
    const asked = probing;
    const isBack = await isThere();
    if (asked !== probing) return; // a call has found it meanwhile, or nobody asks any more
    if (isBack) {
      breaker = createBreaker();
      resume();
    } else probing = setTimeout(probe, PROBE_INTERVAL_MS).unref();
  }

  function resume(): void {
    log.info({ domain }, 'a domain is asked again');
    stopProbing();
  }

  function stopProbing(): void {
    clearTimeout(probing);
    probing = undefined;
  }

  return {
    async pass(call) {
      if (breaker.state === CircuitState.HalfOpen) throw new CircuitOpen(domain); // one call tries it, and no other waits
      try {
        return await breaker.execute(call);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? new CircuitOpen(domain) : error;
      }
    },
    close() {
      isClosed = true;
      stopProbing();
    },
  };
}
