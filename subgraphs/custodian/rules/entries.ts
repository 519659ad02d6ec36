/** Entries of the ledger as commands make them: every posting sums to zero in each asset (domain.md §4.4). */
import type { Decimal } from '../../../platform/decimal.ts';
import { EXTERNAL_ACCOUNT_ID } from './ids.ts';

export type Bucket = 'AVAILABLE' | 'RESERVED' | 'HELD';
export type EntryKind =
  | 'DEPOSIT'
  | 'WITHDRAWAL'
  | 'TRANSFER'
  | 'TRADE'
  | 'RESERVE'
  | 'RELEASE'
  | 'HOLD'
  | 'UNHOLD'
  | 'ADJUSTMENT'
  | 'WRITE_OFF';
export type RefType = 'EXTERNAL' | 'SETTLEMENT' | 'TRANSFER' | 'ADJUSTMENT' | 'BREAK' | 'HOLD';

/** An entry of the ledger, before it is written. */
export interface Entry {
  accountId: string;
  asset: string;
  bucket: Bucket;
  /** Signed; never zero. */
  amount: Decimal;
  /** What a unit was paid with, in US dollars, where it comes in and that is known. */
  unitCost?: Decimal | null;
}

/** Why a posting is made. */
export interface Reference {
  kind: EntryKind;
  refType: RefType;
  refId: string;
}

type Place = Pick<Entry, 'accountId' | 'asset'>;

/** Moves an amount between two buckets of one holding; a negative one moves it back. */
export function shift({ accountId, asset }: Place, from: Bucket, to: Bucket, amount: Decimal): Entry[] {
  return move({ accountId, asset, bucket: from }, { accountId, asset, bucket: to }, amount);
}

/** Moves an amount from one place to another; empty for zero. */
export function move(from: Omit<Entry, 'amount'>, to: Omit<Entry, 'amount'>, amount: Decimal): Entry[] {
  if (amount.isZero()) return [];
  return [
    { ...from, amount: amount.neg() },
    { ...to, amount },
  ];
}

/** Where the world outside stands in a posting. */
export function outside(asset: string): Omit<Entry, 'amount'> {
  return { accountId: EXTERNAL_ACCOUNT_ID, asset, bucket: 'AVAILABLE' };
}
