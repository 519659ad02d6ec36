/** Services as they are read: from the directory, not from rows. */
import type { ServiceInfo } from '../../platform/repositories/service-discovery.ts';
import type { Context } from './context.ts';
import { serviceName } from './rules/names.ts';

/** The service, or null when it is not there. Several asked for in one tick are read as one list. */
export function serviceById(context: Context, serviceId: string): Promise<ServiceInfo | null> {
  return context.batch('service', serviceId, (ids) =>
    context.service.ask(async (services) => {
      if (ids.length === 1) return [await services.getServiceById(ids[0] as string)];
      const byId = new Map((await services.listServices()).map((service) => [service.serviceId, service]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
  );
}

/** @throws Refusal (validation) when the name is none of a service */
export function listServices(
  context: Context,
  { name, healthyOnly }: { name?: string | null | undefined; healthyOnly?: boolean | null | undefined },
): Promise<ServiceInfo[]> {
  const wanted = name && serviceName(name, ['name']);
  return context.service.ask(async (services) => {
    const listed = healthyOnly ? await services.listHealthyServices() : await services.listServices();
    return wanted ? listed.filter((service) => service.serviceName === wanted) : listed;
  });
}
