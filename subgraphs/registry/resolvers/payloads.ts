/** What commands give back: the things they name, as they are after the command. */
import { configEntries } from '../configs.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { serviceById } from '../services.ts';

const service = ({ serviceId }: { serviceId?: string }, _: object, context: Context) =>
  serviceId === undefined ? null : serviceById(context, serviceId);

export const payloads: Resolvers = {
  RegisterServicePayload: { service, ttlSeconds: (_, __, context) => context.service.ttlSeconds },
  HeartbeatPayload: { service },
  SetServiceStatusPayload: { service },
  DeregisterServicePayload: { wasRegistered: ({ wasRegistered }) => wasRegistered ?? false },
  CleanupStaleServicesPayload: { removedCount: ({ removedCount }) => removedCount ?? 0 },
  SetConfigPayload: {
    config: ({ entryId }, _, context) => (entryId === undefined ? null : context.load(configEntries, entryId)),
  },
  DeleteConfigPayload: { entryId: ({ entryId }) => entryId ?? null },
};
