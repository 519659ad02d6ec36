/** Service discovery in the memory of one process, for a graph without Redis. */
import { refuse } from '../errors.ts';
import {
  FULL,
  inOrder,
  SERVICE_LIMIT,
  SERVICE_TTL_MS,
  type ServiceDiscoveryRepository,
  type ServiceInfo,
  STALE_AFTER_MS,
  serviceDiscovery,
} from './service-discovery.ts';

export interface MemoryServicesOptions {
  /** @default SERVICE_TTL_MS */
  ttlMs?: number;
  /** The clock, in milliseconds. @default the system's */
  now?: () => number;
}

export function memoryServices({ ttlMs = SERVICE_TTL_MS, now = Date.now }: MemoryServicesOptions = {}) {
  const known = new Map<string, { service: ServiceInfo; expiresAt: number }>();

  function find(serviceId: string): ServiceInfo | null {
    const entry = known.get(serviceId);
    if (entry && entry.expiresAt > now()) return entry.service;
    known.delete(serviceId);
    return null;
  }

  function update(serviceId: string, changes: Partial<ServiceInfo>): ServiceInfo | null {
    const entry = find(serviceId) && known.get(serviceId);
    if (!entry) return null;
    entry.service = { ...entry.service, ...changes };
    return entry.service;
  }

  const all = () => [...known.keys()].flatMap((serviceId) => find(serviceId) ?? []);
  const instant = () => new Date(now()).toISOString();

  const repository: ServiceDiscoveryRepository = serviceDiscovery(
    {
      async register(registration) {
        const { serviceId, status = 'healthy' } = registration;
        const before = find(serviceId);
        if (!before && all().length >= SERVICE_LIMIT) throw refuse.validation(FULL);
        const lastSeen = instant();
        const service = { ...registration, status, lastSeen, registeredAt: before?.registeredAt ?? lastSeen };
        known.set(serviceId, { service, expiresAt: now() + ttlMs });
        return service;
      },
      async deregister(serviceId) {
        const service = find(serviceId);
        known.delete(serviceId);
        return service;
      },
      async updateHeartbeat(serviceId) {
        const service = update(serviceId, { lastSeen: instant() });
        if (service) known.set(serviceId, { service, expiresAt: now() + ttlMs });
        return service;
      },
      updateStatus: async (serviceId, status) => update(serviceId, { status }),
      getServiceById: async (serviceId) => find(serviceId),
      listServices: async () => inOrder(all()),
      async cleanupStaleServices(thresholdMs = STALE_AFTER_MS) {
        const stale = all().filter(({ lastSeen }) => now() - Date.parse(lastSeen) > thresholdMs);
        for (const { serviceId } of stale) known.delete(serviceId);
        return stale.length;
      },
    },
    now,
  );
  return repository;
}
