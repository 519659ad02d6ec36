/** A way to the graph that can be closed: whoever asks it something then gets an error, at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';

export interface Stoppable {
  graph: GraphClient;
  /** Aborted once it was stopped. */
  signal: AbortSignal;
  /** Closes the way; comes back when the requests that were under way have been answered. */
  stop(): Promise<void>;
}

/** What whoever waits for an answer, or asks, gets once the way is closed. */
export class Stopped extends Error {}

/** Whoever stops it is not held up by a domain that does not answer. */
const PATIENCE_MS = 2_000; // 2 seconds

export function stoppable(graph: GraphClient): Stoppable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const underWay = new Set<Promise<void>>();

  const request = <Data>(document: string, variables?: Record<string, unknown>) =>
    new Promise<Data>((resolve, reject) => {
      if (signal.aborted) return reject(new Stopped());
      const onAbort = () => reject(new Stopped());
      signal.addEventListener('abort', onAbort, { once: true });
      const answered = graph
        .request<Data>(document, variables)
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener('abort', onAbort);
          underWay.delete(answered);
        });
      underWay.add(answered);
    });
  return {
    graph: { ...graph, request },
    signal,
    async stop() {
      stopping.abort();
      const waiting = new AbortController();
      const patience = sleep(PATIENCE_MS, undefined, { signal: waiting.signal }).catch(() => {}); // called off
      await Promise.race([Promise.all(underWay), patience]);
      waiting.abort();
    },
  };
}
