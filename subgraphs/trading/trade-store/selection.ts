/** Which backend serves: Redis where it answers, else SQLite; and the other one as soon as that changes. */
import type { Logger } from '../../../platform/log.ts';
import type { TradeReplica } from './trade-store.ts';

/** Failures one after the other until Redis is left alone. */
export const FAILURE_LIMIT = 3;

export interface SelectionOptions {
  /** Left out where no Redis is set up. */
  redis?: TradeReplica | undefined;
  sqlite: TradeReplica;
  /** Whether Redis is left alone though it is there. @default false */
  forceSqlite?: boolean;
  log: Logger;
}

export interface Selection {
  /** The backend that serves now. */
  readonly active: TradeReplica;
  /** Since when SQLite serves though Redis is set up, and why. */
  readonly trouble: { since: string; reason: string } | null;
  /** Redis has failed: after FAILURE_LIMIT times in a row SQLite serves. */
  fail(error: Error): void;
  succeed(): void;
  /** Redis answers and holds everything: it serves again. */
  resume(): void;
  /** Redis answers, but does not hold everything. */
  distrust(reason: string): void;
}

/** Both are initialised when this resolves, Redis if it can be. It never rejects because of Redis. */
export async function selectBackend(options: SelectionOptions): Promise<Selection> {
  const { sqlite, log, forceSqlite = false } = options;
  const redis = forceSqlite ? undefined : options.redis;
  let active = sqlite;
  let trouble: Selection['trouble'] = null;
  let failures = 0;

  function leave(reason: string): void {
    if (!redis || trouble) return;
    active = sqlite;
    trouble = { since: new Date().toISOString(), reason };
    log.warn({ reason }, 'managed trades are served from SQLite');
  }

  const selection: Selection = {
    get active() {
      return active;
    },
    get trouble() {
      return trouble;
    },
    fail(error) {
      failures++;
      if (failures >= FAILURE_LIMIT) leave(reasonOf(error));
    },
    succeed() {
      failures = 0;
    },
    resume() {
      if (!redis || active === redis) return;
      if (trouble) log.info({ since: trouble.since }, 'managed trades are served from Redis again');
      active = redis;
      trouble = null;
    },
    distrust: leave,
  };

  await sqlite.initialize();
  if (redis) {
    try {
      await redis.initialize();
      selection.resume();
    } catch (error) {
      leave(reasonOf(error));
    }
  }
  return selection;
}

/** Without the address, which is nobody's business who asks for the health. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.name === 'TradesLost' ? error.message : 'Redis does not answer.';
}

/** One selection however often it is asked for. What a later caller wants otherwise is not looked at, and it is told so. */
export function oneSelection(log: Logger): (options: SelectionOptions) => Promise<Selection> {
  let first: SelectionOptions | undefined;
  let selected: Promise<Selection> | undefined;
  return (options) => {
    first ??= options;
    if (first.redis !== options.redis || first.sqlite !== options.sqlite || first.forceSqlite !== options.forceSqlite) {
      log.warn('managed trades have their backend already; other settings are not looked at');
    }
    selected ??= selectBackend(first);
    return selected;
  };
}
