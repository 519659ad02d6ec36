/** One subscription of the graph, kept up: begun anew with a snapshot whenever the way to it is interrupted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceParts } from '../../../platform/subgraph.ts';

export interface FollowedEvent {
  kind: 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';
}

export interface Following<Event extends FollowedEvent> {
  /** Its one root field is `field`. */
  document: string;
  field: string;
  variables?: Record<string, unknown>;
  /** A snapshot begins: what was told before is void once it is whole. */
  begin(): void;
  take(event: Event): void;
  /** The snapshot is whole. */
  whole(): void;
}

/** The way to the graph is tried again after this, with some chance. */
const RETRY_MS = 500;

/** Silence after which a stream, which says every second that it is there, is taken for interrupted. */
const SILENT_MS = 4_000; // 4 seconds

export class Follower<Event extends FollowedEvent> {
  private readonly parts: Pick<ServiceParts, 'graph' | 'log'>;
  private readonly following: Following<Event>;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private isWhole = false;
  private heardAt = 0;

  constructor(parts: Pick<ServiceParts, 'graph' | 'log'>, following: Following<Event>) {
    this.parts = parts;
    this.following = following;
    this.running = this.run();
  }

  /** Whether what was told is all there is, but for the feed's lag. */
  isAlive(): boolean {
    return this.isWhole && Date.now() - this.heardAt < SILENT_MS;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.parts.log.debug(
          { reason: (error as Error).message, field: this.following.field },
          'a stream is begun anew',
        );
      }
      this.isWhole = false;
      if (!signal.aborted) await sleep(RETRY_MS * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { document, field, variables = {}, begin, take, whole } = this.following;
    begin();
    for await (const data of this.parts.graph.subscribe<Record<string, Event | null>>(document, variables, {
      signal,
    })) {
      const event = data[field];
      if (!event) throw new Error(`${field} told nothing`);
      this.heardAt = Date.now();
      if (event.kind === 'RESYNC') {
        this.isWhole = false;
        begin();
      } else if (event.kind !== 'PROGRESS') {
        take(event);
      } else if (!this.isWhole) {
        this.isWhole = true;
        whole();
      }
    }
  }
}
