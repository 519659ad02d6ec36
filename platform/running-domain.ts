/**
 * What a domain consists of while it runs: its connections, its feed, its cache, and the service beside its requests. A
 * restart replaces all of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Access, OPEN_ACCESS } from './access.ts';
import { Cache } from './cache/cache.ts';
import { RedisTier } from './cache/redis-tier.ts';
import { Sampler } from './cache/sampler.ts';
import type { ActiveFaults } from './chaos/active-faults.ts';
import { createContext, type SubgraphContext } from './context.ts';
import { type Database, openDatabase } from './database/database.ts';
import { DomainAdapter } from './database/domain-adapter.ts';
import { redisPrefixOf, schemaOf } from './domains.ts';
import { type Feed, startFeed } from './feed/feed.ts';
import { redisBroadcast } from './feed/redis-stream.ts';
import { domainHealth, type Health } from './health.ts';
import type { SubgraphDefinition, SubgraphDependencies } from './subgraph.ts';
import { traceparentOf } from './trace.ts';

type Headers = Record<string, string | undefined>;

export interface RunningDomain {
  readonly db: Database;
  readonly feed: Feed;
  readonly health: Health;
  readonly cache: Cache;
  /** @param isFresh whether everything is read from PostgreSQL: what a command has done is */
  contextFor(headers: Headers, isFresh?: boolean): SubgraphContext<unknown>;
  /** Starts the service, unless it runs. */
  start(): void;
  /** Stops the service, if it runs. */
  pause(): Promise<void>;
  /**
   * Ends everything.
   * @param graceMs after which reads that are under way lose their connection. @default 0
   */
  close(graceMs?: number): Promise<void>;
}

export interface DomainSettings extends SubgraphDependencies {
  access: Access;
  now(): Date;
}

/** The settings with what is left out of them. */
export function settingsOf({ access = OPEN_ACCESS, now = () => new Date(), ...rest }: SubgraphDependencies) {
  return { ...rest, access, now };
}

/** Opens the domain's connections. Its service is started by `start`. */
export function openDomain<Client, Service>(
  definition: SubgraphDefinition<Client, Service>,
  settings: DomainSettings,
  faults: () => ActiveFaults,
): RunningDomain {
  const { name } = definition;
  const { graph, databaseUrl, instance, poolSize, redisUrl, dataDir, retention, cacheBytes, log, access, now } =
    settings;
  const schema = schemaOf(name, instance);
  const db = openDatabase({ url: databaseUrl, schema, log, ...(poolSize !== undefined && { poolSize }) });
  const prisma = definition.createPrisma(new DomainAdapter(db.pool, { schema }));
  const redisPrefix = redisPrefixOf(name, instance);
  const redis = redisUrl ? new RedisTier({ url: redisUrl, prefix: redisPrefix, log }) : undefined;
  const cache = new Cache({ domain: name, bytes: cacheBytes, redis, sampler: new Sampler({ log }) });
  const broadcast = redisUrl ? redisBroadcast({ url: redisUrl, prefix: redisPrefix, log }) : undefined;
  const parts = { domain: name, databaseUrl, schema, db, log, broadcast, mirror: cache };
  const feed = startFeed({ ...parts, ...(retention && { retention }) });
  cache.follow(feed.hub);
  const serviceName = instance === undefined ? name : `${name}-${instance}`;
  const health = domainHealth({ domain: name, service: serviceName, db, feed, cache, redisUrl, redisPrefix, log });
  const shared = { db, graph, feed, health, cache, log, now };
  let service: (Service & { stop(): Promise<void> }) | undefined;
  let isServing = false;

  const contextFor = (headers: Headers, isFresh = false) =>
    createContext({ domain: name, prisma, faults: faults(), service, access, headers, isFresh, ...shared });
  const context = (traceId: string | null = null) =>
    contextFor(traceId === null ? {} : { traceparent: traceparentOf(traceId) }, true) as SubgraphContext<Client>;

  const running: RunningDomain = {
    ...shared,
    contextFor,
    start() {
      if (isServing) return;
      service = definition.start?.({ ...shared, faults: faults(), redisUrl, redisPrefix, dataDir, context });
      isServing = true;
    },
    async pause() {
      if (!isServing) return;
      isServing = false;
      await service?.stop();
    },
    async close(graceMs = 0) {
      await running.pause();
      health.close();
      await feed.close();
      if (graceMs > 0) await sleep(graceMs);
      cache.close();
      await db.close();
    },
  };
  return running;
}
