/**
 * Feeds of one process on one database see the same writers. What one of them has glanced at serves all that wait: while
 * nothing happens, all together ask little more often than each of them alone would.
 */
import { type Glance, glance } from './change-log.ts';
import { IDLE_MS } from './pace.ts';
import type { Queryable } from './statement.ts';

/** A feed, told what another one has seen. */
export interface Watcher {
  hear(seen: Glance): void;
}

/** Somebody's glance within so long is enough for everybody: a little less than the time between two, for clocks are coarse. */
const ENOUGH_MS = IDLE_MS * 0.9;

const lookouts = new Map<string, Lookout>();

/** Joins the lookout of the database behind a URL, whichever role the URL names. */
export function joinLookout(databaseUrl: string, watcher: Watcher): Lookout {
  const url = new URL(databaseUrl);
  url.username = '';
  url.password = '';
  const lookout = lookouts.get(url.href) ?? new Lookout(() => lookouts.delete(url.href));
  lookouts.set(url.href, lookout);
  lookout.watchers.add(watcher);
  return lookout;
}

export class Lookout {
  readonly watchers = new Set<Watcher>();
  private readonly forget: () => void;
  private askedAt = Number.NEGATIVE_INFINITY;

  /** @param forget called when the last has left */
  constructor(forget: () => void) {
    this.forget = forget;
  }

  leave(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size === 0) this.forget();
  }

  /** Time until what comes would be found late unless somebody asks; 0 where that is now. */
  dueInMs(): number {
    return Math.max(0, this.askedAt + ENOUGH_MS - performance.now());
  }

  /** What the database shows now, told to the others too. */
  async glance(db: Queryable, asker: Watcher): Promise<Glance> {
    this.askedAt = performance.now();
    const seen = await glance(db);
    for (const watcher of this.watchers) if (watcher !== asker) watcher.hear(seen);
    return seen;
  }
}
