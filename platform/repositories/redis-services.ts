/**
 * Service discovery in Redis, shared by any number of processes. A service is a hash with a time to live
 * (`<prefix>service:<id>`); a set (`<prefix>services`) holds the ids. Each operation is one script, so that two at once
 * neither lose a change nor leave a part behind.
 */
import type { Redis } from 'ioredis';
import { refuse } from '../errors.ts';
import {
  FULL,
  inOrder,
  SERVICE_LIMIT,
  SERVICE_TTL_MS,
  type ServiceDiscoveryRepository,
  type ServiceInfo,
  type ServiceRegistration,
  type ServiceStatus,
  STALE_AFTER_MS,
  serviceDiscovery,
} from './service-discovery.ts';

export interface RedisServicesOptions {
  redis: Redis;
  /** What every key begins with: "registry:". */
  prefix: string;
  /** @default SERVICE_TTL_MS */
  ttlMs?: number;
  /** The clock of heartbeats, in milliseconds; Redis counts the time to live by its own. @default the system's */
  now?: () => number;
}

// Ids whose hash has expired are no services any more: whoever counts or lists them takes them out.
const LIVE_IDS = `
  local function live()
    local ids = {}
    for _, id in ipairs(redis.call('smembers', KEYS[1])) do
      if redis.call('exists', ARGV[1] .. id) == 1 then ids[#ids + 1] = id else redis.call('srem', KEYS[1], id) end
    end
    return ids
  end`;

const REGISTER = `${LIVE_IDS}
  local key = ARGV[1] .. ARGV[2]
  if redis.call('exists', key) == 0 and #live() >= tonumber(ARGV[3]) then return false end
  local registeredAt = redis.call('hget', key, 'registeredAt') or ARGV[5]
  redis.call('hset', key, 'registration', ARGV[6], 'status', ARGV[7], 'lastSeen', ARGV[5], 'registeredAt', registeredAt)
  redis.call('pexpire', key, ARGV[4])
  redis.call('sadd', KEYS[1], ARGV[2])
  return redis.call('hgetall', key)`;

const DEREGISTER = `
  local key = ARGV[1] .. ARGV[2]
  local service = redis.call('hgetall', key)
  redis.call('del', key)
  redis.call('srem', KEYS[1], ARGV[2])
  return service`;

const HEARTBEAT = `
  local key = ARGV[1] .. ARGV[2]
  if redis.call('exists', key) == 0 then return {} end
  redis.call('hset', key, 'lastSeen', ARGV[3])
  redis.call('pexpire', key, ARGV[4])
  return redis.call('hgetall', key)`;

const SET_STATUS = `
  local key = ARGV[1] .. ARGV[2]
  if redis.call('exists', key) == 0 then return {} end
  redis.call('hset', key, 'status', ARGV[3])
  return redis.call('hgetall', key)`;

const LIST = `${LIVE_IDS}
  local services = {}
  for index, id in ipairs(live()) do services[index] = redis.call('hgetall', ARGV[1] .. id) end
  return services`;

// Instants are RFC 3339 in UTC with milliseconds, which sort as text.
const CLEAN_UP = `${LIVE_IDS}
  local count = 0
  for _, id in ipairs(live()) do
    if redis.call('hget', ARGV[1] .. id, 'lastSeen') < ARGV[2] then
      redis.call('del', ARGV[1] .. id)
      redis.call('srem', KEYS[1], id)
      count = count + 1
    end
  end
  return count`;

export function redisServices(options: RedisServicesOptions): ServiceDiscoveryRepository {
  const { redis, prefix, ttlMs = SERVICE_TTL_MS, now = Date.now } = options;
  const run = (script: string, ...args: (string | number)[]) =>
    redis.eval(script, 1, `${prefix}services`, `${prefix}service:`, ...args);
  const instant = (ms = now()) => new Date(ms).toISOString();
  const one = async (answer: Promise<unknown>) => toService((await answer) as string[]);

  return serviceDiscovery(
    {
      async register({ status = 'healthy', ...registration }) {
        const said = JSON.stringify(registration);
        const answer = await run(REGISTER, registration.serviceId, SERVICE_LIMIT, ttlMs, instant(), said, status);
        const service = answer === null ? null : toService(answer as string[]);
        if (!service) throw refuse.validation(FULL);
        return service;
      },
      deregister: (serviceId) => one(run(DEREGISTER, serviceId)),
      updateHeartbeat: (serviceId) => one(run(HEARTBEAT, serviceId, instant(), ttlMs)),
      updateStatus: (serviceId, status) => one(run(SET_STATUS, serviceId, status)),
      async getServiceById(serviceId) {
        const fields = await redis.hgetall(`${prefix}service:${serviceId}`);
        return toService(Object.entries(fields).flat());
      },
      async listServices() {
        const services = (await run(LIST)) as string[][];
        return inOrder(services.flatMap((fields) => toService(fields) ?? []));
      },
      cleanupStaleServices: async (thresholdMs = STALE_AFTER_MS) =>
        (await run(CLEAN_UP, instant(now() - thresholdMs))) as number,
    },
    now,
  );
}

/** The service of a hash's fields and values in turn; null when there are none. */
function toService(words: readonly string[]): ServiceInfo | null {
  if (words.length === 0) return null;
  const fields: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) fields[words[at] as string] = words[at + 1] as string;
  const { registration = '', status, lastSeen = '', registeredAt = '' } = fields;
  const said = JSON.parse(registration) as ServiceRegistration;
  return { ...said, status: status as ServiceStatus, lastSeen, registeredAt };
}
