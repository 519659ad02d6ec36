/** The circuit breaker of trading: when it opens, and what it lets through (domain.md §5.3). */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export const BREAKER_CAUSES = ['total_loss', 'rapid_loss', 'critical_alerts', 'manual'] as const;
export type BreakerCause = (typeof BREAKER_CAUSES)[number];

const NEXT: Record<BreakerState, readonly BreakerState[]> = {
  closed: ['open'],
  open: ['half_open', 'closed'],
  half_open: ['closed', 'open'],
};

const MINUTE_MS = 60_000;

/** How long it stays open, and then half open, if nothing opens it again. */
const STAYS_MS: Record<BreakerState, number | null> = {
  closed: null,
  open: 60 * MINUTE_MS,
  half_open: 10 * MINUTE_MS,
};

/** How far back a rapid loss is looked for. */
export const RAPID_LOSS_WINDOW_MS = 10 * MINUTE_MS;

const TOTAL_LOSS = dec(-1_000_000);
const RAPID_LOSS = dec(250_000);
const CRITICAL_ALERTS = 5;

/** @throws Refusal (invalid transition) where the step is none */
export function checkStep(from: BreakerState, to: BreakerState): void {
  if (NEXT[from].includes(to)) return;
  const upper = (state: BreakerState) => state.toUpperCase();
  throw refuse.invalidTransition(upper(from), upper(to), NEXT[from].map(upper));
}

/** When a breaker that came into the state at `since` leaves it by itself; null where it does not. */
export function movesOnAt(state: BreakerState, since: Date): Date | null {
  const afterMs = STAYS_MS[state];
  return afterMs === null ? null : new Date(since.getTime() + afterMs);
}

/** What it becomes by itself when its time has come. */
export function afterwards(state: 'open' | 'half_open'): BreakerState {
  return state === 'open' ? 'half_open' : 'closed';
}

export interface BreakerSigns {
  /** Realised and unrealised, of all portfolios, in USD. */
  totalPnl: Decimal;
  /** The highest total P&L of the last ten minutes. */
  recentPeak: Decimal;
  activeCriticalAlerts: number;
}

export interface BreakerTrip {
  cause: Exclude<BreakerCause, 'manual'>;
  value: Decimal;
  reason: string;
}

/** Why it must open now; null where nothing says so. */
export function tripOf({ totalPnl, recentPeak, activeCriticalAlerts }: BreakerSigns): BreakerTrip | null {
  if (totalPnl.lt(TOTAL_LOSS)) {
    return { cause: 'total_loss', value: totalPnl, reason: `Total P&L is ${totalPnl.toFixed(2)} USD.` };
  }
  const fall = recentPeak.minus(totalPnl);
  if (fall.gte(RAPID_LOSS)) {
    return { cause: 'rapid_loss', value: fall.neg(), reason: `P&L fell by ${fall.toFixed(2)} USD within 10 minutes.` };
  }
  if (activeCriticalAlerts >= CRITICAL_ALERTS) {
    const reason = `${activeCriticalAlerts} critical alerts are active.`;
    return { cause: 'critical_alerts', value: dec(activeCriticalAlerts), reason };
  }
  return null;
}

/** Whether an order may be placed: while it is not closed, only one that reduces what is held. Cancelling always may. */
export function lets(state: BreakerState, isReduction: boolean): boolean {
  return state === 'closed' || isReduction;
}
