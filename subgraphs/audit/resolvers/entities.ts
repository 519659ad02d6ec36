/** What the audit adds to the things of other domains, and how it refers to them; a page of them costs one statement. */
import { raw } from '../../../platform/database/sql.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { ENTITY_KEYS, type EntityName, isEntity } from '../rules/entities.ts';
import { type AuditEventRow, eventList } from '../trail/events.ts';

/** A reference to a thing of another domain: its type and its key. */
export interface EntityReference {
  __typename: EntityName;
}

/** The thing that an event is about; null where the graph does not know things of that type by their id. */
export function entityOf({ entityType, entityId }: AuditEventRow): EntityReference | null {
  if (!isEntity(entityType) || entityId === null) return null;
  return { __typename: entityType, [ENTITY_KEYS[entityType]]: entityId };
}

interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
}

const eventsOf = (type: EntityName, id: string, page: PageArgs, context: Context) =>
  context.connectChildren(eventList, 'entity_key', `${type}:${id}`, { ...page, sortOrder: 'ASC' });

/** The trace of the thing's first event that is no later change of something older than the trail. */
async function traceOf(type: EntityName, id: string, context: Context): Promise<{ traceId: string } | null> {
  const { nodes } = await context.connectChildren(
    eventList,
    'entity_key',
    `${type}:${id}`,
    { first: 1, sortOrder: 'ASC' },
    [raw(`metadata @> '{"operation": "INSERT"}'`)],
  );
  const [first] = nodes;
  return first ? { traceId: first.traceId } : null;
}

export const entityResolvers: Resolvers = {
  AuditedEntity: { __resolveType: ({ __typename }) => __typename },
  TradingOrder: {
    __resolveReference: ({ orderId }) => ({ orderId }),
    auditEvents: ({ orderId }, page, context) => eventsOf('TradingOrder', orderId, page, context),
    trace: ({ orderId }, _, context) => traceOf('TradingOrder', orderId, context),
  },
  ExchangeOrder: {
    __resolveReference: ({ orderId }) => ({ orderId }),
    auditEvents: ({ orderId }, page, context) => eventsOf('ExchangeOrder', orderId, page, context),
    trace: ({ orderId }, _, context) => traceOf('ExchangeOrder', orderId, context),
  },
  Settlement: {
    __resolveReference: ({ settlementId }) => ({ settlementId }),
    auditEvents: ({ settlementId }, page, context) => eventsOf('Settlement', settlementId, page, context),
    trace: ({ settlementId }, _, context) => traceOf('Settlement', settlementId, context),
  },
  Transfer: {
    __resolveReference: ({ transferId }) => ({ transferId }),
    auditEvents: ({ transferId }, page, context) => eventsOf('Transfer', transferId, page, context),
    trace: ({ transferId }, _, context) => traceOf('Transfer', transferId, context),
  },
  RiskAlert: {
    __resolveReference: ({ alertId }) => ({ alertId }),
    auditEvents: ({ alertId }, page, context) => eventsOf('RiskAlert', alertId, page, context),
    trace: ({ alertId }, _, context) => traceOf('RiskAlert', alertId, context),
  },
  TradingTrade: {
    __resolveReference: ({ tradeId }) => ({ tradeId }),
    auditEvents: ({ tradeId }, page, context) => eventsOf('TradingTrade', tradeId, page, context),
    trace: ({ tradeId }, _, context) => traceOf('TradingTrade', tradeId, context),
  },
  ServiceInstance: {
    __resolveReference: (reference) => reference,
    events: ({ name }, page, context) => context.connectChildren(eventList, 'service_name', name, page),
  },
};
