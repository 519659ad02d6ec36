/** A managed trade (domain.md §9.1): one entry, with its stop, its target and what comes of it. */

export type TradeSide = 'long' | 'short';

export type ManagedTradeStatus =
  | 'pending'
  | 'open'
  | 'partial_tp'
  | 'breakeven'
  | 'trailing'
  | 'closed'
  | 'cancelled'
  | 'failed';

export const CLOSE_REASONS = [
  'tp',
  'sl',
  'manual',
  'time',
  'trailing',
  'breakeven',
  'liquidation',
  'strategy',
  'risk',
] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];

/**
 * All that a store keeps of a trade, the same in every backend. Amounts are canonical decimal text; instants are
 * RFC 3339 in UTC. What is named Usd is in quote units of the symbol.
 */
export interface ManagedTrade {
  tradeId: string;
  symbol: string;
  side: TradeSide;
  status: ManagedTradeStatus;
  /** What is left of it, in units of the base asset; of a closed trade what was left when it was closed. */
  quantity: string;
  /** 1 is none. It enters results by the margin only: the quantity is the full size. */
  leverage: string;
  marginUsd: string;
  /** Null until it is open. */
  entryPrice: string | null;
  /** Of a pending trade, when it was planned. */
  entryTime: string;
  slPrice: string | null;
  tpPrice: string | null;
  /** Distance of a trailing stop as a fraction of the price: 0.025. */
  trailPercent: string | null;
  exitPrice: string | null;
  exitTime: string | null;
  closeReason: CloseReason | null;
  pnlUsd: string;
  pnlPct: string;
  /** Null for a closed trade that had no stop when it began. */
  rMultiple: string | null;
  entryFeeUsd: string;
  /** Of every exit so far. */
  exitFeeUsd: string;
  /** Paid is positive, received negative. */
  fundingFeesUsd: string;
  model: string | null;
  /** From 0 to 1. */
  confidence: string;
  metaStrategyId: string | null;
  regime: string | null;
  rlStateKey: string | null;
  rlActionKey: string | null;
  rlLeverageOriginal: string | null;
  /** The trading order whose fills opened it; null for one opened by hand. */
  exchangeOrderId: string | null;
  slOrderId: string | null;
  tpOrderId: string | null;
  metadata: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
  accountId: string | null;
  strategyId: string | null;
  venueId: string | null;
  initialQuantity: string;
  /** The stop it began with; results are measured by it, wherever the stop has been moved to. */
  initialSlPrice: string | null;
  /** What partial exits gained before fees. */
  realizedPartialPnlUsd: string;
  highestPrice: string | null;
  lowestPrice: string | null;
  liquidationPrice: string | null;
  version: number;
  traceId: string | null;
  archivedAt: string | null;
}

/** How a field is stored: stores hold texts only, and tell amounts and instants by this. */
export type FieldKind = 'text' | 'amount' | 'instant' | 'json' | 'count';

/** The 34 fields of the source and the 12 that were added, in the order of domain.md §9.1. */
export const MANAGED_TRADE_FIELDS: Record<keyof ManagedTrade, FieldKind> = {
  tradeId: 'text',
  symbol: 'text',
  side: 'text',
  status: 'text',
  quantity: 'amount',
  leverage: 'amount',
  marginUsd: 'amount',
  entryPrice: 'amount',
  entryTime: 'instant',
  slPrice: 'amount',
  tpPrice: 'amount',
  trailPercent: 'amount',
  exitPrice: 'amount',
  exitTime: 'instant',
  closeReason: 'text',
  pnlUsd: 'amount',
  pnlPct: 'amount',
  rMultiple: 'amount',
  entryFeeUsd: 'amount',
  exitFeeUsd: 'amount',
  fundingFeesUsd: 'amount',
  model: 'text',
  confidence: 'amount',
  metaStrategyId: 'text',
  regime: 'text',
  rlStateKey: 'text',
  rlActionKey: 'text',
  rlLeverageOriginal: 'amount',
  exchangeOrderId: 'text',
  slOrderId: 'text',
  tpOrderId: 'text',
  metadata: 'json',
  createdAt: 'instant',
  updatedAt: 'instant',
  accountId: 'text',
  strategyId: 'text',
  venueId: 'text',
  initialQuantity: 'amount',
  initialSlPrice: 'amount',
  realizedPartialPnlUsd: 'amount',
  highestPrice: 'amount',
  lowestPrice: 'amount',
  liquidationPrice: 'amount',
  version: 'count',
  traceId: 'text',
  archivedAt: 'instant',
};
