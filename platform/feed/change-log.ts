/** Reads a domain's change log. Everything is read with statements that PostgreSQL has prepared: the leader asks often. */
import type pg from 'pg';
import { rowTypes } from '../database/rows.ts';
import type { Image, RowChange } from './change.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';

/** Runs a statement: a pool, or one connection. */
export type Queryable = Pick<pg.Pool, 'query'>;

/** Changes read at once; a larger tick comes in parts. */
export const PART_SIZE = 1_000;

export interface FeedState {
  epoch: string;
  tick: number;
  snapshot: Snapshot;
  /** RFC 3339. */
  tickedAt: string;
  /** What came after this tick is still kept. */
  oldestTick: number;
  leader: string | null;
  ledSince: string | null;
}

/** The log's reader knows which columns of each table hold instants. */
export type Instants = ReadonlyMap<string, readonly string[]>;

export async function readInstants(db: Queryable): Promise<Instants> {
  const rows = await ask<{ relation: string; instants: string[] }>(
    db,
    'captured_tables',
    'select relation, instants from captured_tables',
  );
  return new Map(rows.map(({ relation, instants }) => [relation, instants]));
}

const STATE = 'epoch, tick, snapshot::text as snapshot, ticked_at, oldest_tick, leader, led_since';

interface StateRow {
  epoch: string;
  tick: string;
  snapshot: string;
  ticked_at: string;
  oldest_tick: string;
  leader: string | null;
  led_since: string | null;
}

export async function readState(db: Queryable): Promise<FeedState> {
  return toState(await ask<StateRow>(db, 'feed_state', `select ${STATE} from feed_state`));
}

/** Makes this connection the feed's leader; false while another one leads. */
export async function takeLead(db: Queryable, patienceMs: number): Promise<boolean> {
  const [row] = await ask<{ taken: boolean }>(db, 'take_lead', `select take_lead($1 * interval '1 ms') as taken`, [
    patienceMs,
  ]);
  return row?.taken === true;
}

export async function beginLead(db: Queryable, leader: string): Promise<FeedState> {
  return toState(await ask<StateRow>(db, 'begin_lead', `select ${STATE} from begin_lead($1)`, [leader]));
}

function toState([row]: StateRow[]): FeedState {
  if (!row) throw new Error('The change feed has no state: its schema is not migrated');
  return {
    epoch: row.epoch,
    tick: Number(row.tick),
    snapshot: parseSnapshot(row.snapshot),
    tickedAt: row.ticked_at,
    oldestTick: Number(row.oldest_tick),
    leader: row.leader,
    ledSince: row.led_since,
  };
}

const CHANGE = `seq, xid::text as xid, relation, op::text as op, key, "row"::text as image, was::text as was, at`;
const UNSEEN = '(xid >= $1::xid8 or xid = any($2::xid8[]))';

interface ChangeRow {
  seq: string | null;
  xid: string;
  relation: string;
  op: RowChange['op'];
  key: string;
  image: string;
  was: string | null;
  at: string;
}

/** What the leader finds when it looks: the snapshot of the look, and, when changes came to sight, the tick stored. */
export interface Look {
  snapshot: Snapshot;
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
export async function look(db: Queryable, instants: Instants, previous: number, since: Snapshot): Promise<Look> {
  const rows = await ask<ChangeRow & { seen: string; stored: string | null }>(
    db,
    'feed_look',
    `with seen as materialized (select pg_current_snapshot() as snapshot),
          changes as materialized (
            select ${CHANGE} from change_log where ${UNSEEN} order by seq limit ${PART_SIZE + 1}),
          moved as (
            update feed_state set tick = $3::bigint + 1, snapshot = seen.snapshot, ticked_at = clock_timestamp()
              from seen where tick = $3::bigint and exists (select from changes)
            returning tick, feed_state.snapshot, ticked_at),
          stored as (
            insert into feed_ticks (segment, id, since, snapshot, at)
            select (select segment from feed_segment), tick, $4::pg_snapshot, snapshot, ticked_at from moved
            returning id)
     select (select snapshot::text from seen) as seen, (select id from stored) as stored, changes.*
       from (values (true)) as one left join changes on true order by seq`,
    [String(since.xmax), underWay(since), previous, since.text],
  );
  const [first] = rows;
  const changes = first?.seq == null ? [] : rows.map((row) => toChange(row, instants));
  if (changes.length > 0 && first?.stored == null) throw new Error('Another leader has stored a tick');
  return {
    snapshot: parseSnapshot(first?.seen ?? ''),
    tick: first?.stored == null ? null : Number(first.stored),
    changes: changes.slice(0, PART_SIZE),
    hasMore: changes.length > PART_SIZE,
  };
}

/** Changes that `snapshot` sees and `since` does not, after a sequence number, of one table if it is named. */
export async function readChanges(
  db: Queryable,
  instants: Instants,
  between: { since: Snapshot; snapshot: Snapshot; after: number; relation?: string },
): Promise<{ changes: RowChange[]; hasMore: boolean }> {
  const { since, snapshot, after, relation = null } = between;
  const rows = await ask<ChangeRow>(
    db,
    'feed_changes',
    `select ${CHANGE} from change_log
      where ${UNSEEN} and xid < $3::xid8 and pg_visible_in_snapshot(xid, $4::pg_snapshot) and seq > $5::bigint
        and ($6::text is null or relation = $6)
      order by seq limit ${PART_SIZE + 1}`,
    [String(since.xmax), underWay(since), String(snapshot.xmax), snapshot.text, after, relation],
  );
  const changes = rows.slice(0, PART_SIZE).map((row) => toChange(row, instants));
  return { changes, hasMore: rows.length > PART_SIZE };
}

export interface StoredTick {
  tick: number;
  since: Snapshot;
  snapshot: Snapshot;
}

/** Ticks after one, oldest first, at most so many. */
export async function readTicks(db: Queryable, after: number, limit: number): Promise<StoredTick[]> {
  const rows = await ask<{ id: string; since: string; snapshot: string }>(
    db,
    'feed_ticks',
    'select id, since::text as since, snapshot::text as snapshot from feed_ticks where id > $1 order by id limit $2',
    [after, limit],
  );
  return rows.map(({ id, since, snapshot }) => ({
    tick: Number(id),
    since: parseSnapshot(since),
    snapshot: parseSnapshot(snapshot),
  }));
}

/** The tick of that number, or null when it is not kept or never was. */
export async function readTick(db: Queryable, tick: number): Promise<StoredTick | null> {
  const [next] = await readTicks(db, tick - 1, 1);
  return next?.tick === tick ? next : null;
}

/** Whether everything visible now is in ticks that `snapshot` covers; then the snapshot of this look, else null. */
export async function quietSince(db: Queryable, snapshot: Snapshot): Promise<Snapshot | null> {
  const [row] = await ask<{ seen: string; quiet: boolean }>(
    db,
    'feed_quiet',
    `select pg_current_snapshot()::text as seen, not exists (select from change_log where ${UNSEEN}) as quiet`,
    [String(snapshot.xmax), underWay(snapshot)],
  );
  return row?.quiet ? parseSnapshot(row.seen) : null;
}

/** The condition of a change that the snapshot does not see, for statements that read rows beside it. */
export function unseenBy(snapshot: Snapshot): { xmax: string; underWay: string[] } {
  return { xmax: String(snapshot.xmax), underWay: underWay(snapshot) };
}

function underWay(snapshot: Snapshot): string[] {
  return Array.from(snapshot.underWay, String);
}

async function ask<Row extends pg.QueryResultRow>(
  db: Queryable,
  name: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const { rows } = await db.query<Row>({ name: `feed:${name}`, text, values, types: rowTypes });
  return rows;
}

function toChange(row: ChangeRow, instants: Instants): RowChange {
  const image = JSON.parse(row.image) as Record<string, unknown>;
  for (const name of instants.get(row.relation) ?? []) {
    if (typeof image[name] === 'string') image[name] = `${image[name]}Z`;
  }
  return {
    seq: Number(row.seq),
    xid: Number(row.xid),
    relation: row.relation,
    op: row.op,
    key: row.key,
    row: image,
    was: row.was === null ? null : (JSON.parse(row.was) as Image),
    at: row.at,
  };
}
