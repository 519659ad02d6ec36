/**
 * Settlement: who pays what to whom, as ledger movements that sum to zero in each asset (domain.md §3.4).
 *
 * The value of a match changes hands rounded half-even to 8 places, the same amount on both sides. Roundings of many
 * small fills can add up to more than an order set aside in one; the difference is drawn from the buyer's available
 * balance, and what even that does not cover is taken off the fee. So nobody pays more than he has, by however little.
 */
import { type Decimal, round8 } from '../../../platform/decimal.ts';
import { feeOn, smaller } from './money.ts';

export type Bucket = 'AVAILABLE' | 'LOCKED';
export type EntryKind = 'DEPOSIT' | 'WITHDRAWAL' | 'LOCK' | 'UNLOCK' | 'FILL' | 'FEE' | 'ADJUSTMENT';
export type RefType = 'EXTERNAL' | 'ORDER' | 'TRADE';

/** An entry of the ledger, before it is written. */
export interface Movement {
  accountId: string;
  asset: string;
  bucket: Bucket;
  /** Signed; never zero. */
  amount: Decimal;
  kind: EntryKind;
  refType: RefType;
  refId: string;
}

/** The exchange's own accounts, fixed by the first migration: HOUSE takes fees, EXTERNAL is the world outside. */
export const HOUSE_ACCOUNT_ID = 'ffffffff-ffff-4fff-bfff-ffffffffff01';
export const EXTERNAL_ACCOUNT_ID = 'ffffffff-ffff-4fff-bfff-ffffffffff02';

export interface Party {
  accountId: string;
  orderId: string;
  tradeId: string;
  feeRate: Decimal;
  /** Where it pays from: LOCKED when its order rested, AVAILABLE when it came in. */
  bucket: Bucket;
}

export interface Buyer extends Party {
  /** What its order has reserved of the quote asset; zero for an incoming order. */
  reserved: Decimal;
  /** What its order is to reserve for what remains after this match. */
  reserveAfter: Decimal;
  /** The account's available balance of the quote asset. */
  available: Decimal;
}

export interface Match {
  base: string;
  quote: string;
  quantity: Decimal;
  price: Decimal;
  buyer: Buyer;
  seller: Party;
}

export interface Settled {
  buyerFee: Decimal;
  sellerFee: Decimal;
  /** What the buyer's order has reserved afterwards. */
  buyerReserved: Decimal;
  movements: Movement[];
}

/** Moves the money and the goods of one match. */
export function settle(match: Match): Settled {
  const { base, quote, quantity, buyer, seller } = match;
  const value = quantity.times(match.price);
  const funds = buyer.reserved.plus(buyer.available);
  const notional = smaller(round8(value), funds);
  const buyerFee = smaller(feeOn(value, buyer.feeRate), funds.minus(notional));
  const sellerFee = smaller(feeOn(value, seller.feeRate), notional);
  const buyerReserved = smaller(buyer.reserveAfter, funds.minus(notional).minus(buyerFee));
  const released = buyer.reserved.minus(notional).minus(buyerFee).minus(buyerReserved);

  const movements = [
    move(buyer, quote, buyer.bucket, notional.neg(), 'FILL'),
    move(seller, quote, 'AVAILABLE', notional, 'FILL'),
    move(seller, base, seller.bucket, quantity.neg(), 'FILL'),
    move(buyer, base, 'AVAILABLE', quantity, 'FILL'),
    ...fee(buyer, quote, buyer.bucket, buyerFee),
    ...fee(seller, quote, 'AVAILABLE', sellerFee),
    ...(buyer.bucket === 'LOCKED' ? release(buyer, quote, released) : []),
  ];
  return { buyerFee, sellerFee, buyerReserved, movements: movements.filter(({ amount }) => !amount.isZero()) };
}

/** What a MARKET buy costs: its fills' values and fees, each rounded as `settle` does. */
export function costOf(fills: readonly { quantity: Decimal; price: Decimal }[], feeRate: Decimal): Decimal {
  return fills.reduce((cost, { quantity, price }) => {
    const value = quantity.times(price);
    return cost.plus(round8(value)).plus(feeOn(value, feeRate));
  }, feeRate.times(0));
}

function fee(payer: Party, quote: string, bucket: Bucket, amount: Decimal): Movement[] {
  const house = { accountId: HOUSE_ACCOUNT_ID, tradeId: payer.tradeId };
  return [move(payer, quote, bucket, amount.neg(), 'FEE'), move(house, quote, 'AVAILABLE', amount, 'FEE')];
}

function move(
  party: { accountId: string; tradeId: string },
  asset: string,
  bucket: Bucket,
  amount: Decimal,
  kind: EntryKind,
): Movement {
  return { accountId: party.accountId, asset, bucket, amount, kind, refType: 'TRADE', refId: party.tradeId };
}

/** Gives back what an order no longer needs; a negative amount takes what it needs more. Empty for zero. */
export function release(order: { accountId: string; orderId: string }, asset: string, amount: Decimal): Movement[] {
  if (amount.isZero()) return [];
  const { accountId, orderId: refId } = order;
  const common = { accountId, asset, kind: amount.isNegative() ? 'LOCK' : 'UNLOCK', refType: 'ORDER', refId } as const;
  return [
    { ...common, bucket: 'LOCKED', amount: amount.neg() },
    { ...common, bucket: 'AVAILABLE', amount },
  ];
}

/** Money that enters (positive) or leaves (negative) the exchange. */
export function transfer(accountId: string, asset: string, amount: Decimal, reference: string): Movement[] {
  const kind = amount.isNegative() ? 'WITHDRAWAL' : 'DEPOSIT';
  const common = { asset, bucket: 'AVAILABLE', kind, refType: 'EXTERNAL', refId: reference } as const;
  return [
    { ...common, accountId, amount },
    { ...common, accountId: EXTERNAL_ACCOUNT_ID, amount: amount.neg() },
  ];
}

/** What sets both parts of a balance, the world outside being the other side; empty where they are so already. */
export function adjust(
  { accountId, asset, ...held }: { accountId: string; asset: string; available: Decimal; locked: Decimal },
  available: Decimal,
  locked: Decimal,
  reason: string,
): Movement[] {
  const common = { asset, kind: 'ADJUSTMENT', refType: 'EXTERNAL', refId: reason } as const;
  const [free, bound] = [available.minus(held.available), locked.minus(held.locked)];
  const movements: Movement[] = [
    { ...common, accountId, bucket: 'AVAILABLE', amount: free },
    { ...common, accountId, bucket: 'LOCKED', amount: bound },
    { ...common, accountId: EXTERNAL_ACCOUNT_ID, bucket: 'AVAILABLE', amount: free.plus(bound).neg() },
  ];
  return movements.filter(({ amount }) => !amount.isZero());
}
