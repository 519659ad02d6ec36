/** Reads a domain's change log. Everything is read with statements that PostgreSQL has prepared: the leader asks often. */
import { type Sql, sql } from '../database/sql.ts';
import type { CapturedTables } from './captured-tables.ts';
import { type Image, type RowChange, readImage } from './change.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';
import { ask, type Queryable } from './statement.ts';

/** Changes read at once; a larger tick comes in parts. */
export const PART_SIZE = 1_000;

const CHANGE = `seq, xid::text as xid, relation, op::text as op, key, "row"::text as image, was::text as was, at, trace`;
const UNSEEN = '(xid >= $1::xid8 or xid = any($2::xid8[]))';

/** The order of seq, and no way for PostgreSQL to take the index on it: it would walk the whole log to find a few changes. */
const BY_XID = 'order by seq + 0';

interface ChangeRow {
  seq: string | null;
  xid: string;
  relation: string;
  op: RowChange['op'];
  key: string;
  image: string;
  was: string | null;
  at: string;
  trace: string | null;
}

/** What the database shows at a moment; as long as it is the same text, nobody has written anything anywhere in the server. */
export interface Glance {
  snapshot: string;
  /** RFC 3339. */
  at: string;
}

/** What the database shows now. */
export async function glance(db: Queryable): Promise<Glance> {
  const [row] = await ask<{ seen: string; seen_at: string }>(
    db,
    'feed_glance',
    'select pg_current_snapshot()::text as seen, statement_timestamp() as seen_at',
  );
  return { snapshot: row?.seen ?? '', at: row?.seen_at ?? '' };
}

/** What the leader finds when it looks: the snapshot of the look, and, when changes came to sight, the tick stored. */
export interface Look {
  snapshot: Snapshot;
  /** When it looked, RFC 3339. */
  at: string;
  tick: number | null;
  /** The first part of the changes. */
  changes: RowChange[];
  hasMore: boolean;
}

/**
 * One look: what is visible now and was not in `since`. If there is anything, the tick `next` is stored in the same
 * statement, provided that `previous` is still the last one.
 * @throws Error when another leader has stored a tick meanwhile
 */
export async function look(db: Queryable, tables: CapturedTables, previous: number, since: Snapshot): Promise<Look> {
  const rows = await ask<ChangeRow & { seen: string; seen_at: string; stored: string | null }>(
    db,
    'feed_look',
    `with seen as materialized (select pg_current_snapshot() as snapshot),
          changes as materialized (
            select ${CHANGE} from change_log where ${UNSEEN} ${BY_XID} limit ${PART_SIZE + 1}),
          moved as (
            update feed_state set tick = $3::bigint + 1, snapshot = seen.snapshot, ticked_at = statement_timestamp()
              from seen where tick = $3::bigint and exists (select from changes)
            returning tick, feed_state.snapshot, ticked_at),
          stored as (
            insert into feed_ticks (segment, id, since, snapshot, at)
            select (select segment from feed_segment), tick, $4::pg_snapshot, snapshot, ticked_at from moved
            returning id)
     select (select snapshot::text from seen) as seen, statement_timestamp() as seen_at,
            (select id from stored) as stored, changes.*
       from (values (true)) as one left join changes on true order by seq`,
    [String(since.xmax), underWay(since), previous, since.text],
  );
  const [first] = rows;
  const changes = first?.seq == null ? [] : rows.map((row) => toChange(row, tables));
  if (changes.length > 0 && first?.stored == null) throw new Error('Another leader has stored a tick');
  return {
    snapshot: parseSnapshot(first?.seen ?? ''),
    at: first?.seen_at ?? '',
    tick: first?.stored == null ? null : Number(first.stored),
    changes: changes.slice(0, PART_SIZE),
    hasMore: changes.length > PART_SIZE,
  };
}

/** Which changes a reader wants. @default all */
export interface Wanted {
  /** Only those of this table. */
  relation?: string | undefined;
  /** Of these tables only those whose trace is to be kept. */
  sampledOnly?: readonly string[] | undefined;
}

/** Part of the changes that `snapshot` sees and `since` does not. */
export interface Slice extends Wanted {
  since: Snapshot;
  snapshot: Snapshot;
  /** Only those after this sequence number. */
  after: number;
}

export interface ReadChanges {
  changes: RowChange[];
  hasMore: boolean;
  /** What came after this tick was still kept when the changes were read. */
  oldestTick: number;
}

/** A traceparent whose flags say that the trace is to be kept. */
const SAMPLED = `trace ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf]'`;

const IN_SLICE = `${UNSEEN} and xid < $3::xid8 and pg_visible_in_snapshot(xid, $4::pg_snapshot) and seq > $5::bigint
        and ($6::text is null or relation = $6) and (relation <> all($7::text[]) or ${SAMPLED})`;

const inSlice = ({ since, snapshot, after, relation, sampledOnly = [] }: Slice) => [
  String(since.xmax),
  underWay(since),
  String(snapshot.xmax),
  snapshot.text,
  after,
  relation ?? null,
  [...sampledOnly],
];

/**
 * The first changes of a slice. All of it is looked at; for the parts of a large one see `readWindow`. That the segment
 * they lie in is not being emptied shows in `oldestTick`: the statement's locks are older than its snapshot.
 */
export async function readChanges(db: Queryable, tables: CapturedTables, slice: Slice): Promise<ReadChanges> {
  return readPart(db, tables, 'feed_changes', `${IN_SLICE} ${BY_XID}`, inSlice(slice));
}

/** The changes of a slice up to a sequence number. What lies between the two numbers is looked at. */
export async function readWindow(
  db: Queryable,
  tables: CapturedTables,
  slice: Slice,
  until: number,
): Promise<ReadChanges> {
  return readPart(db, tables, 'feed_window', `${IN_SLICE} and seq <= $8::bigint order by seq`, [
    ...inSlice(slice),
    until,
  ]);
}

async function readPart(db: Queryable, tables: CapturedTables, name: string, conditions: string, values: unknown[]) {
  const rows = await ask<ChangeRow & { oldest_tick: string }>(
    db,
    name,
    `select (select oldest_tick from feed_state) as oldest_tick, changes.*
       from (values (true)) as one
       left join (select ${CHANGE} from change_log where ${conditions} limit ${PART_SIZE + 1}) as changes on true
      order by seq`,
    values,
  );
  const found = rows.filter(({ seq }) => seq !== null);
  const changes = found.slice(0, PART_SIZE).map((row) => toChange(row, tables));
  return { changes, hasMore: found.length > PART_SIZE, oldestTick: Number(rows[0]?.oldest_tick) };
}

/** How many changes a slice has, and the sequence number of its last one. */
export async function measure(db: Queryable, slice: Slice): Promise<{ count: number; last: number }> {
  const [row] = await ask<{ count: string; last: string | null }>(
    db,
    'feed_measure',
    `select count(*) as count, max(seq) as last from change_log where ${IN_SLICE}`,
    inSlice(slice),
  );
  return { count: Number(row?.count ?? 0), last: Number(row?.last ?? slice.after) };
}

export interface StoredTick {
  tick: number;
  since: Snapshot;
  snapshot: Snapshot;
  /** Everything committed until then is in this tick or in one before; RFC 3339. */
  at: string;
}

/** Ticks after one, oldest first, at most so many. */
export async function readTicks(db: Queryable, after: number, limit: number): Promise<StoredTick[]> {
  const rows = await ask<{ id: string; since: string; snapshot: string; at: string }>(
    db,
    'feed_ticks',
    'select id, since::text as since, snapshot::text as snapshot, at from feed_ticks where id > $1 order by id limit $2',
    [after, limit],
  );
  return rows.map(({ id, since, snapshot, at }) => ({
    tick: Number(id),
    since: parseSnapshot(since),
    snapshot: parseSnapshot(snapshot),
    at,
  }));
}

/** The tick of that number, or null when it is not kept or never was. */
export async function readTick(db: Queryable, tick: number): Promise<StoredTick | null> {
  const [next] = await readTicks(db, tick - 1, 1);
  return next?.tick === tick ? next : null;
}

/** Whether everything visible now is in ticks that `snapshot` covers; then the snapshot of this look, else null. */
export async function quietSince(
  db: Queryable,
  snapshot: Snapshot,
): Promise<{ snapshot: Snapshot; at: string } | null> {
  const [row] = await ask<{ seen: string; seen_at: string; quiet: boolean }>(
    db,
    'feed_quiet',
    `select pg_current_snapshot()::text as seen, statement_timestamp() as seen_at,
            not exists (select from change_log where ${UNSEEN}) as quiet`,
    [String(snapshot.xmax), underWay(snapshot)],
  );
  return row?.quiet ? { snapshot: parseSnapshot(row.seen), at: row.seen_at } : null;
}

/** The condition of a change in the log that the snapshot does not see, for statements that read other things beside it. */
export function unseenBy(snapshot: Snapshot): Sql {
  return sql`(xid >= ${String(snapshot.xmax)}::xid8 or xid = any(${underWay(snapshot)}::xid8[]))`;
}

function underWay(snapshot: Snapshot): string[] {
  return Array.from(snapshot.underWay, String);
}

function toChange(row: ChangeRow, tables: CapturedTables): RowChange {
  return {
    seq: Number(row.seq),
    xid: Number(row.xid),
    relation: row.relation,
    op: row.op,
    key: row.key,
    row: readImage(row.image, tables.get(row.relation)),
    was: row.was === null ? null : (JSON.parse(row.was) as Image),
    at: row.at,
    trace: row.trace,
  };
}
