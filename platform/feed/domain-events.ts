/** The subscription by which a domain tells all that it has changed, the same in every contract. */
import type { Domain } from '../domains.ts';
import type { RowChange } from './change.ts';
import { type EventBatch, type EventBatchesOptions, eventBatches } from './event-batches.ts';
import type { FeedReader } from './feed.ts';

interface Told {
  domain: Domain;
  feed: FeedReader;
}

const OPERATIONS = { I: 'INSERT', U: 'UPDATE', D: 'DELETE' } as const;

/** Resolver of `Subscription.<domain>Events`. */
export const domainEvents = {
  subscribe: (_: unknown, options: EventBatchesOptions, { feed }: Told) => eventBatches(feed, options),
  resolve: ({ kind, cursor, at, epoch, changes }: EventBatch, _: unknown, { domain }: Told) => ({
    kind,
    cursor,
    at,
    events: changes.map((change) => eventOf(domain, epoch, change)),
  }),
};

function eventOf(domain: Domain, epoch: string, { seq, xid, relation, op, key, row, at, trace }: RowChange) {
  return {
    eventId: `${domain}:${epoch}:${seq}`,
    relation,
    operation: OPERATIONS[op],
    key,
    transaction: `${epoch}:${xid}`,
    trace,
    at,
    row,
  };
}
