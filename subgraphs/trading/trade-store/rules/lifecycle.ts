/** The states of a managed trade (domain.md §9.3). */
import { refuse } from '../../../../platform/errors.ts';
import type { ManagedTradeStatus } from './managed-trade.ts';

/** Where a trade can go from each state; the empty ones are final. */
export const MANAGED_TRADE_TRANSITIONS: Record<ManagedTradeStatus, readonly ManagedTradeStatus[]> = {
  pending: ['open', 'cancelled', 'failed'],
  open: ['partial_tp', 'breakeven', 'trailing', 'closed', 'failed'],
  partial_tp: ['breakeven', 'trailing', 'closed'],
  breakeven: ['partial_tp', 'trailing', 'closed'],
  trailing: ['partial_tp', 'breakeven', 'closed'],
  closed: [],
  cancelled: [],
  failed: [],
};

/** The open set: trades that hold something. All of them come back after a restart, not those that are OPEN alone. */
export const OPEN_STATUSES = ['open', 'partial_tp', 'breakeven', 'trailing'] as const satisfies ManagedTradeStatus[];

export function isOpen({ status }: { status: ManagedTradeStatus }): boolean {
  return (OPEN_STATUSES as readonly ManagedTradeStatus[]).includes(status);
}

/**
 * `to`, when a trade can go there; to stay is always allowed while it is open.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveManagedTrade(from: ManagedTradeStatus, to: ManagedTradeStatus): ManagedTradeStatus {
  const allowed = MANAGED_TRADE_TRANSITIONS[from];
  if (allowed.includes(to) || (from === to && isOpen({ status: from }))) return to;
  const names = allowed.map((status) => status.toUpperCase());
  throw refuse.invalidTransition(from.toUpperCase(), to.toUpperCase(), names, ['input', 'tradeId']);
}
