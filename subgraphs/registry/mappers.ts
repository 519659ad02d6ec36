/** Ties GraphQL types to what resolvers hand on: rows, references, ids. Paths are relative to generated/. */
export const mappers = {
  ServiceChange: '../service-changes.ts#ServiceChangeEvent',
  ConfigChange: '../topics.ts#ConfigEvent',

  ServiceInstance: '../../../platform/repositories/service-discovery.ts#ServiceInfo',
  GraphHealth: '../graph-health.ts#GraphHealthReport',
  ConfigEntry: '../configs.ts#ConfigEntryRow',
  ConfigEntryConnection: '../configs.ts#ConfigEntryPage',

  RegisterServicePayload: '../service-commands.ts#ServicePayload',
  HeartbeatPayload: '../service-commands.ts#ServicePayload',
  SetServiceStatusPayload: '../service-commands.ts#ServicePayload',
  DeregisterServicePayload: '../service-commands.ts#DeregisterPayload',
  CleanupStaleServicesPayload: '../service-commands.ts#CleanupPayload',
  SetConfigPayload: '../config-commands.ts#ConfigPayload',
  DeleteConfigPayload: '../config-commands.ts#ConfigPayload',
};
