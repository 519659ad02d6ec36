/** What another domain tells, begun anew with a snapshot whenever the way to it is interrupted. */
import { follow } from '../../../platform/following.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';

export interface FollowedEvent {
  kind: 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';
}

export interface Followed<Event extends FollowedEvent> {
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

/** Silence after which a stream, which says every second that it is there, is taken for interrupted. */
const SILENT_MS = 4_000; // 4 seconds

export class Follower<Event extends FollowedEvent> {
  private readonly followed: Followed<Event>;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private isWhole = false;
  private heardAt = 0;

  constructor(parts: Pick<ServiceParts, 'graph' | 'log'>, followed: Followed<Event>) {
    this.followed = followed;
    const { document, field, variables = {}, begin } = followed;
    const following = {
      document,
      field,
      variables: () => variables,
      begin,
      take: (event: Event) => this.take(event),
      interrupted: () => {
        this.isWhole = false;
      },
    };
    this.running = follow(parts, following, this.stopping.signal);
  }

  /** Whether what was told is all there is, but for the feed's lag. */
  isAlive(): boolean {
    return this.isWhole && Date.now() - this.heardAt < SILENT_MS;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.running;
  }

  private take(event: Event): void {
    this.heardAt = Date.now();
    if (event.kind === 'RESYNC') {
      this.isWhole = false;
      this.followed.begin();
    } else if (event.kind !== 'PROGRESS') {
      this.followed.take(event);
    } else if (!this.isWhole) {
      this.isWhole = true;
      this.followed.whole();
    }
  }
}
