/** What the registry runs beside its requests: the directory of services, and the health of the whole graph. */
import { refuse } from '../../platform/errors.ts';
import { connectRedis, firstAttempt } from '../../platform/redis.ts';
import { memoryServices } from '../../platform/repositories/memory-services.ts';
import { isRedisAway } from '../../platform/repositories/redis-fault.ts';
import { redisServices } from '../../platform/repositories/redis-services.ts';
import type { ServiceDiscoveryRepository } from '../../platform/repositories/service-discovery.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { type GraphHealthReader, graphHealth } from './graph-health.ts';
import { ServiceWatch } from './service-watch.ts';
import { settings } from './settings.ts';

export interface RegistryService {
  /**
   * Asks, or tells, the directory of services.
   * @throws Refusal (domain unavailable) while Redis, which holds it, does not answer
   */
  ask<Answer>(work: (services: ServiceDiscoveryRepository) => Promise<Answer>): Promise<Answer>;
  watch: ServiceWatch;
  health: GraphHealthReader;
  /** How long a process is kept that sends no heartbeat. */
  ttlSeconds: number;
  stop(): Promise<void>;
}

export function startRegistry({ graph, health, log, redisUrl, redisPrefix, now }: ServiceParts): RegistryService {
  const ttlSeconds = settings.serviceTtlSeconds;
  const clock = () => now().getTime();
  const timing = { ttlMs: ttlSeconds * 1_000, now: clock };
  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, log });
  const begun = redis && firstAttempt(redis);
  const services = redis ? redisServices({ redis, prefix: redisPrefix, ...timing }) : memoryServices(timing);
  const list = async () => {
    await begun;
    return services.listServices();
  };
  const watch = new ServiceWatch(list, clock);
  return {
    async ask(work) {
      await begun;
      try {
        return await work(services);
      } catch (error) {
        throw isRedisAway(error) ? refuse.domainUnavailable('registry') : error;
      }
    },
    watch,
    health: graphHealth(graph, health),
    ttlSeconds,
    async stop() {
      await watch.stop();
      redis?.disconnect();
    },
  };
}
