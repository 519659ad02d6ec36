/** An operator's wish that a domain's caches forget, in all of its processes. It goes to them by the change feed. */
import type { SubgraphContext } from '../context.ts';
import { sql } from '../database/sql.ts';
import type { RowChange } from '../feed/change.ts';

/** Stands in the change log without a table of that name. */
const RELATION = 'cache_invalidations';

/** Resolver of `Mutation.invalidate<Domain>Cache`. */
export async function invalidateCache(
  _: unknown,
  { input }: { input: { pattern?: string | null | undefined } },
  { cache, db, feed, traceparent }: SubgraphContext<unknown>,
): Promise<{ count: number; readToken: null; errors: [] }> {
  const pattern = input.pattern ?? '*';
  const count = await cache.forget(pattern);
  await db.query(sql`
    insert into change_log (segment, relation, op, key, row, trace)
    select segment, ${RELATION}, 'I', gen_random_uuid()::text, json_build_object('pattern', ${pattern}::text), ${traceparent}
      from feed_segment`);
  feed.ring();
  return { count, readToken: null, errors: [] };
}

/** The pattern of a change that is such a wish, or null. */
export function invalidatedBy({ relation, row }: RowChange): string | null {
  return relation === RELATION ? String(row.pattern) : null;
}
