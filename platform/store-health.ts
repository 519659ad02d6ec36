/** Whether a process reaches its stores, asked by the smallest question each of them answers. */
import type { Database } from './database/database.ts';
import { databaseFault } from './database/database-error.ts';
import { sql } from './database/sql.ts';
import type { Logger } from './log.ts';
import { connectRedis, firstAttempt } from './redis.ts';
import { isRedisAway, refusalOf } from './repositories/redis-fault.ts';

export interface StoreHealth {
  store: 'POSTGRESQL' | 'REDIS';
  connected: boolean;
  latencyMs: number | null;
  /** What is wrong, to be read after the store's name. It names no address and no secret. */
  error: string | null;
  version: string | null;
  /** RFC 3339. */
  since: string;
}

export interface StoreProbe {
  store: StoreHealth['store'];
  /** Asks the store, and gives the version of its server where that is known. */
  ask(): Promise<string | null>;
  /** What its failure means. */
  explain(error: unknown): string;
}

/** Whoever asks how a store does wants to know now. */
const PATIENCE_MS = 1_000; // 1 second

const SILENT = 'does not answer within 1 second';

class TooLate extends Error {
  constructor() {
    super(`No answer within ${PATIENCE_MS} ms`);
    this.name = 'TooLate';
  }
}

/** What the work gives. Throws when it takes longer than a second; it then goes on by itself. */
export async function within<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate()), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The work, which is not begun again before it has come to its end: what hangs must not use up what others need. */
export function oneAtATime<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Looks at the store each time it is called; never rejects. */
export function watchStore(probe: StoreProbe): () => Promise<StoreHealth> {
  const ask = oneAtATime(() => probe.ask());
  let version: string | null = null;
  let connected: boolean | undefined;
  let since = '';

  function found(isConnected: boolean): Pick<StoreHealth, 'store' | 'connected' | 'since'> {
    if (connected !== isConnected) since = new Date().toISOString();
    connected = isConnected;
    return { store: probe.store, connected: isConnected, since };
  }

  return async () => {
    const startedAt = performance.now();
    try {
      version = (await within(ask())) ?? version;
      const latencyMs = Math.round(performance.now() - startedAt);
      return { ...found(true), latencyMs, error: null, version };
    } catch (error) {
      const reason = error instanceof TooLate ? SILENT : probe.explain(error);
      return { ...found(false), latencyMs: null, error: reason, version };
    }
  };
}

export function postgresProbe(db: Database): StoreProbe {
  return {
    store: 'POSTGRESQL',
    async ask() {
      const row = await db.one<{ version: string }>(sql`select current_setting('server_version') as version`);
      return row?.version ?? null;
    },
    explain: (error) => `cannot be reached (${databaseFault(error)?.code ?? nameOf(error)})`,
  };
}

/** What is asked of Redis is to take a value: one that is full still answers. It forgets it again. */
const PROBE_TTL_MS = 10_000; // 10 seconds

/**
 * On a connection of its own, which is made at once and closed by `close`.
 * @param prefix of the domain's keys
 */
export function redisProbe(url: string, prefix: string, log: Logger): StoreProbe & { close(): void } {
  const redis = connectRedis({ url, log });
  const begun = firstAttempt(redis);
  let version: string | null | undefined;
  return {
    store: 'REDIS',
    async ask() {
      await begun;
      await redis.set(`${prefix}health:probe`, '', 'PX', PROBE_TTL_MS);
      version ??= await redis.call('HELLO').then(versionIn, () => null); // INFO is refused to a domain's Redis user
      return version;
    },
    explain(error) {
      if (redis.status !== 'ready') return 'cannot be reached';
      const refusal = refusalOf(error);
      if (refusal !== null) return `takes no values (${refusal})`;
      return isRedisAway(error) ? SILENT : `refuses to answer (${nameOf(error)})`;
    },
    close: () => redis.disconnect(),
  };
}

/** HELLO answers names and values in turn. */
function versionIn(answer: unknown): string | null {
  const words = answer as unknown[];
  return String(words[words.indexOf('version') + 1]);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
