/** The rows with which a subscription begins, and what its reader needs to join them on to the feed. */
import type { Database } from '../database/database.ts';
import { allOf, identifier, type Sql, sql } from '../database/sql.ts';
import { badInput } from '../errors.ts';
import { unseenBy } from './change-log.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';
import type { Chosen, Topic } from './topic.ts';

/** Rows of a snapshot at most; who needs more chooses less. */
const SNAPSHOT_LIMIT = 10_000;

export interface SnapshotRows<Row> {
  rows: Row[];
  /** Changes that it sees are in the rows. */
  seen: Snapshot;
  /** Whether it sees no change of the domain that `since` does not. */
  isQuiet: boolean;
  /** When they were read, RFC 3339. */
  at: string;
}

interface Read {
  feedSeen: string;
  feedSeenAt: string;
  feedQuiet: boolean;
  feedHasRow: boolean | null;
}

/** @throws GraphQLError (bad input) when the choice fits too many rows */
export async function readSnapshotRows<Row>(
  db: Database,
  topic: Topic<Row>,
  chosen: Chosen,
  since: Snapshot,
): Promise<SnapshotRows<Row>> {
  const { table, key, snapshot, snapshotOrder, snapshotRows = SNAPSHOT_LIMIT + 1 } = topic;
  const conditions = [...chosen.conditions, ...(snapshot ? [snapshot] : [])];
  const order: Sql = snapshotOrder ?? identifier(key);
  const found = await db.query<Row & Read>(sql`
    select (select pg_current_snapshot()::text) as feed_seen, statement_timestamp() as feed_seen_at,
           (select not exists (select from change_log where ${unseenBy(since)})) as feed_quiet,
           found.*
      from (values (true)) as one
      left join (select true as feed_has_row, chosen.* from ${identifier(table)} as chosen
                  where ${allOf(conditions)} order by ${order} limit ${snapshotRows}) as found on true`);
  if (found.length > SNAPSHOT_LIMIT) throw badInput(`The snapshot has more than ${SNAPSHOT_LIMIT} rows: choose less.`);
  const [first] = found;
  const rows = found.flatMap(({ feedSeen: _, feedSeenAt: __, feedQuiet: ___, feedHasRow, ...row }) =>
    feedHasRow ? [row as Row] : [],
  );
  if (snapshotOrder) rows.reverse();
  return {
    rows,
    seen: parseSnapshot(first?.feedSeen ?? ''),
    isQuiet: first?.feedQuiet === true,
    at: first?.feedSeenAt ?? '',
  };
}
