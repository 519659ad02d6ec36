/**
 * Which run may disturb which domain, and trade which instrument. A lock is held for a while and renewed; whoever takes it gets a larger token than
 * every holder before, so that one who was only slow can be told from the one who has it now.
 */
import type { Redis } from 'ioredis';
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import type { Logger } from '../../../platform/log.ts';
import { connectRedis, firstAttempt } from '../../../platform/redis.ts';
import { isRedisAway } from '../../../platform/repositories/redis-fault.ts';

/** A lock that nobody renews is free after this. */
export const LOCK_MS = 20_000; // 20 seconds

export interface TargetLocks {
  /** Takes the locks of all targets, or none: then it says who holds which. What the run holds already is renewed. */
  acquire(runId: string, targets: readonly string[]): Promise<{ target: string; runId: string } | null>;
  /** Makes the run's locks last longer. Whether it holds them all still. */
  renew(runId: string, targets: readonly string[]): Promise<boolean>;
  /** Frees what the run holds of these targets. */
  release(runId: string, targets: readonly string[]): Promise<void>;
  close(): void;
}

/** In Redis where there is one, in the domain's PostgreSQL where not. */
export function targetLocks(parts: {
  db: Database;
  redisUrl: string | undefined;
  redisPrefix: string;
  log: Logger;
}): TargetLocks {
  const { db, redisUrl, redisPrefix, log } = parts;
  return redisUrl === undefined ? storedLocks(db) : redisLocks(connectRedis({ url: redisUrl, log }), redisPrefix);
}

export function storedLocks(db: Database): TargetLocks {
  return {
    async acquire(runId, targets) {
      if (targets.length === 0) return null;
      const held = await db.query<{ target: string; runId: string }>(sql`
        with wanted as (select unnest(${[...targets].sort()}::text[]) as target),
             held as (select target_locks.target, run_id from target_locks join wanted using (target)
                       where run_id <> ${runId} and expires_at > now()),
             taken as (
               insert into target_locks as lock (target, run_id, expires_at)
               select target, ${runId}, now() + make_interval(secs => ${LOCK_MS / 1_000}) from wanted
                where not exists (select from held)
               on conflict (target) do update
                  set run_id = excluded.run_id, expires_at = excluded.expires_at,
                      token = lock.token + case when lock.run_id is not distinct from excluded.run_id then 0 else 1 end
                where lock.run_id is null or lock.run_id = excluded.run_id or lock.expires_at <= now()
               returning target)
        select target, run_id from held limit 1`);
      if (held[0]) return held[0];
      // Another may have been quicker by a moment.
      if (await this.renew(runId, targets)) return null;
      const [other] = await db.query<{ target: string; runId: string }>(sql`
        select target, run_id from target_locks where target = any(${[...targets]}::text[]) and run_id <> ${runId}`);
      await this.release(runId, targets);
      return other ?? { target: targets.join(', '), runId: 'another' };
    },
    async renew(runId, targets) {
      const rows = await db.query<{ target: string }>(sql`
        update target_locks set expires_at = now() + make_interval(secs => ${LOCK_MS / 1_000})
         where run_id = ${runId} and target = any(${[...targets]}::text[]) returning target`);
      return rows.length === new Set(targets).size;
    },
    async release(runId, targets) {
      await db.query(sql`
        update target_locks set run_id = null, expires_at = now()
         where run_id = ${runId} and target = any(${[...targets]}::text[])`);
    },
    close() {},
  };
}

// One script: all or none. A holder is "<token>:<run>".
const ACQUIRE = `
  for i = 1, #KEYS, 2 do
    local holder = redis.call('get', KEYS[i])
    if holder and string.sub(holder, string.find(holder, ':', 1, true) + 1) ~= ARGV[1] then return {i, holder} end
  end
  for i = 1, #KEYS, 2 do
    local holder = redis.call('get', KEYS[i])
    if holder then redis.call('pexpire', KEYS[i], ARGV[2])
    else redis.call('set', KEYS[i], redis.call('incr', KEYS[i + 1]) .. ':' .. ARGV[1], 'px', ARGV[2]) end
  end
  return false`;

const RENEW = `
  local count = 0
  for i = 1, #KEYS do
    local holder = redis.call('get', KEYS[i])
    if holder and string.sub(holder, string.find(holder, ':', 1, true) + 1) == ARGV[1] then
      redis.call('pexpire', KEYS[i], ARGV[2])
      count = count + 1
    end
  end
  return count`;

const RELEASE = `
  for i = 1, #KEYS do
    local holder = redis.call('get', KEYS[i])
    if holder and string.sub(holder, string.find(holder, ':', 1, true) + 1) == ARGV[1] then redis.call('del', KEYS[i]) end
  end
  return 0`;

export function redisLocks(redis: Redis, prefix: string): TargetLocks {
  const begun = firstAttempt(redis);
  const keyOf = (target: string) => `${prefix}lock:${target}`;
  const ask = async <Answer>(script: string, keys: string[], args: string[]): Promise<Answer> => {
    await begun;
    try {
      return (await redis.eval(script, keys.length, ...keys, ...args)) as Answer;
    } catch (error) {
      throw isRedisAway(error) ? refuse.domainUnavailable('test-coordination') : error;
    }
  };
  return {
    async acquire(runId, targets) {
      if (targets.length === 0) return null;
      const keys = targets.flatMap((target) => [keyOf(target), `${prefix}fence:${target}`]);
      const held = await ask<[number, string] | null>(ACQUIRE, keys, [runId, String(LOCK_MS)]);
      if (!held) return null;
      const [place, holder] = held;
      return { target: targets[(place - 1) / 2] as string, runId: holder.slice(holder.indexOf(':') + 1) };
    },
    async renew(runId, targets) {
      if (targets.length === 0) return true;
      return (await ask<number>(RENEW, targets.map(keyOf), [runId, String(LOCK_MS)])) === targets.length;
    },
    async release(runId, targets) {
      if (targets.length > 0) await ask(RELEASE, targets.map(keyOf), [runId]);
    },
    close: () => redis.disconnect(),
  };
}
