/** One subscription of the graph, kept up by a domain that follows another: opened again whenever the way is interrupted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from './graph-client.ts';
import type { Logger } from './log.ts';

export interface Following<Event> {
  document: string;
  /** The document's one root field. */
  field: string;
  /** Variables with which it is opened, for example the cursor after which to go on. */
  variables?(): Record<string, unknown>;
  /** Called before it is opened, each time. Where it throws, that is tried again. */
  begin?(): void | Promise<void>;
  /** One event; the next is asked for when it has been taken. */
  take(event: Event): void | Promise<void>;
  /** The way was interrupted; it is tried again soon. */
  interrupted?(reason: Error): void;
}

/** The way to the graph is tried again after this, with some chance. */
const RETRY_MS = 500;

/** Follows until the signal aborts. Never rejects. */
export async function follow<Event>(
  { graph, log }: { graph: GraphClient; log: Logger },
  { document, field, variables, begin, take, interrupted }: Following<Event>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await begin?.();
      const told = graph.subscribe<Record<string, Event | null>>(document, variables?.() ?? {}, { signal });
      for await (const { [field]: event } of told) {
        if (!event) throw new Error(`${field} told nothing`);
        await take(event);
      }
      if (!signal.aborted) throw new Error(`${field} has ended`);
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ reason: (error as Error).message, field }, 'a stream was interrupted; it is opened again');
      interrupted?.(error as Error);
      await sleep(RETRY_MS * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }
}
