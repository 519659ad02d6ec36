import { shown } from '../../../platform/enums.ts';
import { isHealthy } from '../../../platform/repositories/service-discovery.ts';
import type { ServiceInstanceResolvers } from '../generated/resolvers.ts';
import { serviceById } from '../services.ts';

export const ServiceInstance: ServiceInstanceResolvers = {
  __resolveReference: ({ serviceId }, context) => serviceById(context, serviceId),
  name: ({ serviceName }) => serviceName,
  status: ({ status }) => shown(status),
  isHealthy: (service, _, context) => isHealthy(service, context.now().getTime()),
};
