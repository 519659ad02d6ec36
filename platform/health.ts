/**
 * How a domain does: its stores, its change feed, and whatever else has a reason to complain. Looked into when somebody
 * asks, at most once a second however many do, and answered within about a second whatever hangs.
 */
import type { Cache, CacheStatistics, CacheStatus } from './cache/cache.ts';
import type { Database } from './database/database.ts';
import type { Domain } from './domains.ts';
import type { Feed } from './feed/feed.ts';
import { type Identity, identityOf } from './identity.ts';
import type { Logger } from './log.ts';
import { oneAtATime, postgresProbe, redisProbe, type StoreHealth, watchStore, within } from './store-health.ts';

/** From the best to the worst. */
export const HEALTH_STATUSES = ['HEALTHY', 'DEGRADED', 'UNHEALTHY'] as const;

export type HealthStatus = (typeof HEALTH_STATUSES)[number];

export interface DomainHealth extends Identity {
  domain: Domain;
  status: HealthStatus;
  service: string;
  /** RFC 3339. */
  checkedAt: string;
  stores: StoreHealth[];
  /** Null when nobody answered. */
  cache: CacheStatus | null;
  reasons: string[];
}

/** Something that is not as it should be. */
export interface Complaint {
  status: Exclude<HealthStatus, 'HEALTHY'>;
  /** One sentence for whoever operates the graph. */
  reason: string;
}

/** Asked at each look; what it throws, or a second without an answer, is a complaint itself. */
export type ComplaintSource = () => readonly Complaint[] | Promise<readonly Complaint[]>;

export interface Health {
  /** Name of the service. */
  service: string;
  /** Never rejects. */
  read(): Promise<DomainHealth>;
  /**
   * Takes a further source of complaints, in the place of one with the same name; `name` says what could not be looked
   * into when it fails.
   */
  heed(name: string, source: ComplaintSource): void;
  close(): void;
}

export interface HealthOptions {
  domain: Domain;
  /** Name of the service. @default the domain's */
  service?: string;
  db: Database;
  feed: Feed;
  cache: Pick<Cache, 'status' | 'statistics'>;
  redisUrl: string | undefined;
  /** What the domain's keys in Redis begin with: "trading:". */
  redisPrefix: string;
  log: Logger;
  /** @default identityOf() */
  identity?: Identity;
}

/** An answer serves everybody for so long. */
const KEPT_MS = 1_000; // 1 second

/** A feed that is further behind, or was not heard of for longer, is worth a word: a leader is replaced sooner. */
const FEED_PATIENCE_MS = 5_000; // 5 seconds

export function domainHealth(options: HealthOptions): Health {
  const { domain, service = domain, db, feed, cache, redisUrl, redisPrefix, log, identity = identityOf() } = options;
  const redis = redisUrl === undefined ? undefined : redisProbe(redisUrl, redisPrefix, log);
  const stores = [watchStore(postgresProbe(db)), ...(redis ? [watchStore(redis)] : [])];
  const sources = new Map<string, () => Promise<readonly Complaint[]>>();
  let latest: Promise<DomainHealth> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<DomainHealth> {
    const [found, complaints] = await Promise.all([
      Promise.all(stores.map((check) => check())),
      Promise.all([...sources.values()].map((ask) => ask())),
    ]);
    const all = [...found.flatMap(complaintsOfStore), ...(isAway(found) ? [] : complaints.flat())];
    return {
      domain,
      service,
      ...identity,
      status: worst(all.map(({ status }) => status)),
      checkedAt: new Date().toISOString(),
      stores: found,
      cache: cache.status(),
      reasons: all.map(({ reason }) => reason),
    };
  }

  function heed(name: string, source: ComplaintSource): void {
    const ask = oneAtATime(async () => source());
    sources.set(name, async () => {
      try {
        return await within(ask());
      } catch (error) {
        log.warn({ err: error, source: name }, 'a part of the health could not be looked into');
        return [{ status: 'DEGRADED', reason: `How ${name} does is not known.` }];
      }
    });
  }

  heed('the change feed', () => complaintsOfFeed(feed));
  heed('the cache', () => complaintsOfCache(cache.statistics()));
  return {
    service,
    read() {
      if (!latest || performance.now() - lookedAt >= KEPT_MS) {
        lookedAt = performance.now();
        latest = look();
      }
      return latest;
    },
    heed,
    close: () => redis?.close(),
  };
}

/** The worst of them; HEALTHY when there are none. */
export function worst(statuses: readonly HealthStatus[]): HealthStatus {
  return HEALTH_STATUSES.findLast((status) => statuses.includes(status)) ?? 'HEALTHY';
}

/** Without PostgreSQL nothing else can be said of the domain. */
function isAway(stores: readonly StoreHealth[]): boolean {
  return stores.some(({ store, connected }) => store === 'POSTGRESQL' && !connected);
}

function complaintsOfStore({ store, connected, error }: StoreHealth): Complaint[] {
  if (connected) return [];
  return store === 'POSTGRESQL'
    ? [{ status: 'UNHEALTHY', reason: `PostgreSQL ${error}.` }]
    : [{ status: 'DEGRADED', reason: `Redis ${error}.` }];
}

async function complaintsOfFeed(feed: Feed): Promise<Complaint[]> {
  const { lagMs } = await feed.status();
  const silentMs = feed.hub.silentMs;
  const complain = (reason: string): Complaint[] => [{ status: 'DEGRADED', reason }];
  if (!feed.hub.isJoined) return complain('The change feed is interrupted: live updates wait.');
  if (silentMs > FEED_PATIENCE_MS) return complain(`The change feed stalls: nothing for ${inSeconds(silentMs)}.`);
  if (lagMs > FEED_PATIENCE_MS) return complain(`The change feed is ${inSeconds(lagMs)} behind.`);
  return [];
}

function complaintsOfCache({ foundStale }: CacheStatistics): Complaint[] {
  if (foundStale === 0) return [];
  const reason = `${foundStale} cached values were found that should not have been served; the log names them.`;
  return [{ status: 'DEGRADED', reason }];
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
