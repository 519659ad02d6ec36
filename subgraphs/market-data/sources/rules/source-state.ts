/** How a source of prices does (domain.md §2.3), from what it says and from its silence. */

export type SourceState = 'HEALTHY' | 'DEGRADED' | 'STALE' | 'DOWN';

/** Where a source can go from each state: downwards by errors, latency or silence, upwards by three good messages. */
export const SOURCE_TRANSITIONS: Record<SourceState, readonly SourceState[]> = {
  HEALTHY: ['DEGRADED', 'STALE'],
  DEGRADED: ['HEALTHY', 'STALE'],
  STALE: ['HEALTHY', 'DOWN'],
  DOWN: ['HEALTHY'],
};

/** Silence after which a source is stale, and after which it is down. */
export const STALE_AFTER_MS = 30_000; // 30 seconds
export const DOWN_AFTER_MS = 300_000; // 5 minutes
/** A message that took longer from its source is no good one. */
export const LATENCY_LIMIT_MS = 5_000; // 5 seconds
/** Bad messages in a row that degrade, good ones in a row that heal. */
const STREAK = 3;

export interface SourceHealth {
  state: SourceState;
  goodStreak: number;
  errorStreak: number;
  errorCount: number;
  lastError: string | null;
  lastErrorAtMs: number | null;
  latencyMs: number | null;
  lastSeenAtMs: number | null;
}

/** A message of a source: how long it took, or what was wrong with it. */
export type SourceMessage = { latencyMs: number } | { error: string };

/** The source's health after the messages, in their order. */
export function hear(health: SourceHealth, messages: readonly SourceMessage[], nowMs: number): SourceHealth {
  const heard = { ...health, state: stateInSilence(health, nowMs) };
  for (const message of messages) {
    const isBad = 'error' in message;
    if (isBad) {
      heard.errorCount++;
      heard.lastError = message.error;
      heard.lastErrorAtMs = nowMs;
    } else {
      heard.latencyMs = Math.max(message.latencyMs, 0);
      heard.lastSeenAtMs = nowMs;
    }
    const isGood = !isBad && message.latencyMs <= LATENCY_LIMIT_MS;
    heard.goodStreak = isGood ? Math.min(heard.goodStreak + 1, STREAK) : 0;
    heard.errorStreak = isGood ? 0 : Math.min(heard.errorStreak + 1, STREAK);
    if (heard.goodStreak === STREAK) heard.state = 'HEALTHY';
    else if (heard.state === 'HEALTHY' && heard.errorStreak === STREAK) heard.state = 'DEGRADED';
  }
  return heard;
}

/** What silence has made of the source's state by now. */
export function stateInSilence(health: Pick<SourceHealth, 'state' | 'lastSeenAtMs'>, nowMs: number): SourceState {
  const { state, lastSeenAtMs } = health;
  if (lastSeenAtMs === null || state === 'DOWN') return state;
  const silentMs = nowMs - lastSeenAtMs;
  if (silentMs > DOWN_AFTER_MS) return 'DOWN';
  if (silentMs > STALE_AFTER_MS) return 'STALE';
  return state;
}
