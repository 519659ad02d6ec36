/** Writing down how sources do: what they say with their prices, and what silence makes of them. */
import { sql } from '../../../platform/database/sql.ts';
import type { Tx } from '../context.ts';
import { type Columns, rowSet } from '../row-set.ts';
import {
  hear,
  LATENCY_LIMIT_MS,
  type SourceHealth,
  type SourceMessage,
  type SourceState,
  stateInSilence,
} from './rules/source-state.ts';

/** What a source said, in the order it came. */
export type Heard = ReadonlyMap<string, readonly SourceMessage[]>;

interface StoredHealth extends SourceHealth {
  name: string;
}

/** A healthy source is written down at most so often: not every price needs to touch it. */
const WRITE_EVERY_MS = 1_000; // 1 second

/** Advances the health of the sources that are registered. */
export async function hearSources(tx: Tx, heard: Heard, nowMs: number, traceId: string): Promise<void> {
  const known = await readHealth(tx, [...heard.keys()], false);
  const due = known.filter((health) => isDue(health, heard.get(health.name) ?? [], nowMs)).map(({ name }) => name);
  if (due.length === 0) return;
  const locked = await readHealth(tx, due, true);
  await writeHealth(
    tx,
    locked.map((health) => [health, { ...health, ...hear(health, heard.get(health.name) ?? [], nowMs) }] as const),
    nowMs,
    traceId,
  );
}

function isDue({ state, lastSeenAtMs }: StoredHealth, messages: readonly SourceMessage[], nowMs: number): boolean {
  if (state !== 'HEALTHY' || lastSeenAtMs === null || nowMs - lastSeenAtMs >= WRITE_EVERY_MS) return true;
  return messages.some((message) => 'error' in message || message.latencyMs > LATENCY_LIMIT_MS);
}

/** Writes down which sources have fallen silent. Gives whether any may still fall. */
export async function sweepSources(tx: Tx, now: Date, traceId: string): Promise<boolean> {
  const names = await tx.$queryRaw<{ name: string }[]>(
    sql`select name from data_sources where state <> 'DOWN' and last_seen_at is not null`,
  );
  if (names.length === 0) return false;
  const nowMs = now.getTime();
  const locked = await readHealth(
    tx,
    names.map(({ name }) => name),
    true,
  );
  const fallen = locked.flatMap((health) => {
    const state = stateInSilence(health, nowMs);
    return state === health.state ? [] : [[health, { ...health, state, goodStreak: 0 }] as const];
  });
  await writeHealth(tx, fallen, nowMs, traceId);
  return true;
}

/** Locked, in the order of their names, so that two writers never deadlock. */
async function readHealth(tx: Tx, names: readonly string[], isLocked: boolean): Promise<StoredHealth[]> {
  const rows = await tx.$queryRaw<StoredHealth[]>(sql`
    select name, state, good_streak as "goodStreak", error_streak as "errorStreak", error_count as "errorCount",
           last_error as "lastError", latency_ms as "latencyMs",
           extract(epoch from last_error_at)::float8 * 1000 as "lastErrorAtMs",
           extract(epoch from last_seen_at)::float8 * 1000 as "lastSeenAtMs"
      from data_sources where name = any(${[...names]}::text[]) and is_enabled order by name
      ${isLocked ? sql`for no key update` : sql``}`);
  return rows;
}

interface WrittenHealth extends StoredHealth {
  before: SourceState;
}

const HEALTH_COLUMNS: Columns<WrittenHealth> = {
  name: ['text', ({ name }) => name],
  state: ['text', ({ state }) => state],
  before: ['text', ({ before }) => before],
  good_streak: ['integer', ({ goodStreak }) => goodStreak],
  error_streak: ['integer', ({ errorStreak }) => errorStreak],
  error_count: ['integer', ({ errorCount }) => errorCount],
  last_error: ['text', ({ lastError }) => lastError],
  last_error_ms: ['double precision', ({ lastErrorAtMs }) => lastErrorAtMs],
  latency_ms: ['integer', ({ latencyMs }) => latencyMs && Math.round(Math.min(latencyMs, MAX_LATENCY_MS))],
  last_seen_ms: ['double precision', ({ lastSeenAtMs }) => lastSeenAtMs],
};

const MAX_LATENCY_MS = 2_147_483_647; // an integer column

async function writeHealth(
  tx: Tx,
  changes: readonly (readonly [before: StoredHealth, after: StoredHealth])[],
  nowMs: number,
  traceId: string,
): Promise<void> {
  if (changes.length === 0) return;
  const written = changes.map(([before, after]) => ({ ...after, before: before.state }));
  await tx.$executeRaw(sql`
    update data_sources as kept set
           state = heard.state, good_streak = heard.good_streak, error_streak = heard.error_streak,
           error_count = heard.error_count, last_error = heard.last_error, latency_ms = heard.latency_ms,
           last_error_at = to_timestamp(heard.last_error_ms / 1000), last_seen_at = to_timestamp(heard.last_seen_ms / 1000),
           state_since = case when heard.state = heard.before then kept.state_since else to_timestamp(${nowMs / 1_000}::float8) end,
           trace_id = ${traceId}
      from ${rowSet('heard', HEALTH_COLUMNS, written)} where kept.name = heard.name`);
}
