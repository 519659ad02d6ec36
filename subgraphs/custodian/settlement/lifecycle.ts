/** The states of a settlement (domain.md §4.3), and what becomes of a transfer when its settlement moves. */
import { refuse } from '../../../platform/errors.ts';

export type SettlementStatus = 'PENDING' | 'IN_PROGRESS' | 'PARTIALLY_SETTLED' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
export type SettlementType = 'DEPOSIT' | 'WITHDRAWAL' | 'TRANSFER' | 'TRADE_SETTLEMENT';

/** Where a settlement can go from each state; COMPLETED, FAILED and CANCELLED are final. */
export const SETTLEMENT_TRANSITIONS: Record<SettlementStatus, readonly SettlementStatus[]> = {
  PENDING: ['IN_PROGRESS', 'CANCELLED', 'FAILED'],
  IN_PROGRESS: ['PARTIALLY_SETTLED', 'COMPLETED', 'FAILED'],
  PARTIALLY_SETTLED: ['COMPLETED', 'FAILED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
};

/** Those that may still bring or take something. */
export const OPEN_STATUSES: readonly SettlementStatus[] = ['PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED'];

/** The state of a transfer whose settlement has that state. */
export const TRANSFER_OF_SETTLEMENT = {
  PENDING: 'APPROVED',
  IN_PROGRESS: 'PROCESSING',
  PARTIALLY_SETTLED: 'PROCESSING',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
} as const satisfies Record<SettlementStatus, string>;

/**
 * `to`, when a settlement can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveSettlement(from: SettlementStatus, to: SettlementStatus): SettlementStatus {
  const allowed = SETTLEMENT_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'settlementId']);
  return to;
}

/** Whether it gives something away by somebody's will: what was traded must be settled, and what comes in is welcome. */
export function leaves(type: SettlementType): boolean {
  return type === 'TRANSFER' || type === 'WITHDRAWAL';
}
