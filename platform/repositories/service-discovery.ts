/** The port of service discovery (domain.md §1.14): which processes there are, as they say themselves by heartbeats. */

export const SERVICE_STATUSES = ['healthy', 'degraded', 'unhealthy'] as const;

export type ServiceStatus = (typeof SERVICE_STATUSES)[number];

/** What a process says of itself when it registers. */
export interface ServiceRegistration {
  /** One process at one place; who registers it again replaces what was said before. */
  serviceId: string;
  serviceName: string;
  version: string;
  host: string;
  grpcPort: number | null;
  httpPort: number | null;
  /** @default healthy */
  status?: ServiceStatus;
  metadata: Readonly<Record<string, string>>;
}

export interface ServiceInfo extends Required<ServiceRegistration> {
  /** The last heartbeat, RFC 3339. */
  lastSeen: string;
  /** The first registration since it was last gone, RFC 3339. */
  registeredAt: string;
}

/** A registration that hears no heartbeat for so long is gone. */
export const SERVICE_TTL_MS = 90_000; // 90 seconds: three heartbeats

/** A service that sent no heartbeat for so long is not healthy. */
export const HEALTHY_WITHIN_MS = 60_000; // a minute: two heartbeats

/** Registrations older than this are stale for whoever says nothing else. */
export const STALE_AFTER_MS = 300_000; // 5 minutes

/** Registrations at one time. */
export const SERVICE_LIMIT = 1_000;

/** What the one that is too many is told. */
export const FULL = `There are ${SERVICE_LIMIT} services already, which is all that are kept.`;

/**
 * Every method is one atomic step, and rejects when the store does not answer (see `isRedisAway`). Whatever has expired
 * is there for none of them.
 */
export interface ServiceDiscoveryRepository {
  /**
   * Adds the service, or replaces what is known of it; its time begins anew, `registeredAt` stays.
   * @throws Refusal (validation) when there are SERVICE_LIMIT others
   */
  register(service: ServiceRegistration): Promise<ServiceInfo>;
  /** Removes the service as it was last; null when there is none. */
  deregister(serviceId: string): Promise<ServiceInfo | null>;
  /** Renews `lastSeen` and the time to live; null when there is none, which must register. */
  updateHeartbeat(serviceId: string): Promise<ServiceInfo | null>;
  /** Changes the status alone; null when there is none. */
  updateStatus(serviceId: string, status: ServiceStatus): Promise<ServiceInfo | null>;
  /** Of the healthy services of that name the one with the latest heartbeat; null when there is none. */
  getService(serviceName: string, thresholdMs?: number): Promise<ServiceInfo | null>;
  getServiceById(serviceId: string): Promise<ServiceInfo | null>;
  /** Every service, by name and then by id. */
  listServices(): Promise<ServiceInfo[]>;
  listServicesByName(serviceName: string): Promise<ServiceInfo[]>;
  /** @param thresholdMs @default HEALTHY_WITHIN_MS */
  listHealthyServices(thresholdMs?: number): Promise<ServiceInfo[]>;
  /** Removes what has sent no heartbeat for longer, and says how many. @default STALE_AFTER_MS */
  cleanupStaleServices(thresholdMs?: number): Promise<number>;
  isServiceHealthy(serviceId: string, thresholdMs?: number): Promise<boolean>;
  getServiceCount(): Promise<number>;
}

/** Whether the service says it is healthy, and has been heard of within the threshold, its end included. */
export function isHealthy({ status, lastSeen }: ServiceInfo, nowMs: number, thresholdMs = HEALTHY_WITHIN_MS): boolean {
  return status === 'healthy' && nowMs - Date.parse(lastSeen) <= thresholdMs;
}

/** What a store must do by itself; the other operations follow from it. */
export type ServiceStore = Pick<
  ServiceDiscoveryRepository,
  | 'register'
  | 'deregister'
  | 'updateHeartbeat'
  | 'updateStatus'
  | 'getServiceById'
  | 'listServices'
  | 'cleanupStaleServices'
>;

/** @param now the clock, in milliseconds */
export function serviceDiscovery(store: ServiceStore, now: () => number): ServiceDiscoveryRepository {
  const healthy = async (thresholdMs?: number) =>
    (await store.listServices()).filter((service) => isHealthy(service, now(), thresholdMs));
  return {
    ...store,
    listHealthyServices: healthy,
    listServicesByName: async (name) => (await store.listServices()).filter(({ serviceName }) => serviceName === name),
    async getService(name, thresholdMs) {
      const found = (await healthy(thresholdMs)).filter(({ serviceName }) => serviceName === name);
      return found.reduce<ServiceInfo | null>(later, null);
    },
    async isServiceHealthy(serviceId, thresholdMs) {
      const service = await store.getServiceById(serviceId);
      return service !== null && isHealthy(service, now(), thresholdMs);
    },
    getServiceCount: async () => (await store.listServices()).length,
  };
}

function later(best: ServiceInfo | null, service: ServiceInfo): ServiceInfo {
  return best === null || service.lastSeen > best.lastSeen ? service : best;
}

/** By name, then by id. */
export function inOrder(services: ServiceInfo[]): ServiceInfo[] {
  const place = ({ serviceName, serviceId }: ServiceInfo) => `${serviceName}\0${serviceId}`;
  return services.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}
