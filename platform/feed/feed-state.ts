/** Where a domain's feed stands, as PostgreSQL keeps it, and who leads it. */
import { parseSnapshot, type Snapshot } from './snapshot.ts';
import { ask, type Queryable } from './statement.ts';

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

/** @param backlogLimit changes that may have come since the last tick; more are not told one by one */
export async function beginLead(db: Queryable, leader: string, backlogLimit: number): Promise<FeedState> {
  const text = `select ${STATE} from begin_lead($1, $2)`;
  return toState(await ask<StateRow>(db, 'begin_lead', text, [leader, backlogLimit]));
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
