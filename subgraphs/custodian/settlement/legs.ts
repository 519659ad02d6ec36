/** The two legs of a settlement, and which part of them is posted (domain.md §4.4). */
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import type { LockedHoldings } from '../locks.ts';
import { DOLLAR } from '../prices.ts';
import { type Entry, move, shift } from '../rules/entries.ts';
import { EXTERNAL_ACCOUNT_ID } from '../rules/ids.ts';

/** What a settlement is about. */
export interface Terms {
  sourceAccountId: string;
  destinationAccountId: string;
  asset: string;
  quantity: Decimal;
  settledQuantity: Decimal;
  reservedQuantity: Decimal;
  currency: string | null;
  cashAmount: Decimal | null;
  settledCash: Decimal;
  reservedCash: Decimal;
}

/** Some of a delivery, and the payment that belongs to it. */
export interface Part {
  quantity: Decimal;
  cash: Decimal;
}

/** What is still to be settled. */
export function restOf(terms: Terms): Part {
  return {
    quantity: terms.quantity.minus(terms.settledQuantity),
    cash: (terms.cashAmount ?? dec(0)).minus(terms.settledCash),
  };
}

/** That much of the delivery with its share of the payment, rounded half-even; the last part pays what is left. */
export function partOf(terms: Terms, quantity: Decimal): Part {
  const rest = restOf(terms);
  if (quantity.gte(rest.quantity)) return rest;
  const share = round8((terms.cashAmount ?? dec(0)).times(quantity).div(terms.quantity));
  return { quantity, cash: share.gt(rest.cash) ? rest.cash : share };
}

/** A payer's side of a leg. */
export interface Owed {
  accountId: string;
  asset: string;
  amount: Decimal;
  reserved: Decimal;
}

/** Who gives what up for a part. */
export function owedFor(terms: Terms, part: Part): Owed[] {
  const delivery = {
    accountId: terms.sourceAccountId,
    asset: terms.asset,
    amount: part.quantity,
    reserved: terms.reservedQuantity,
  };
  if (terms.currency === null) return [delivery];
  const payment = {
    accountId: terms.destinationAccountId,
    asset: terms.currency,
    amount: part.cash,
    reserved: terms.reservedCash,
  };
  return [delivery, payment];
}

/** The holdings that a settlement moves. */
export function placesOf(terms: Terms): { accountId: string; asset: string }[] {
  const { sourceAccountId, destinationAccountId, asset, currency } = terms;
  const assets = currency === null ? [asset] : [asset, currency];
  return assets.flatMap((code) => [
    { accountId: sourceAccountId, asset: code },
    { accountId: destinationAccountId, asset: code },
  ]);
}

/** What it takes from the reserve, and from what is available beside it. */
function sourcesOf({ amount, reserved }: Owed): { fromReserved: Decimal; fromAvailable: Decimal } {
  const fromReserved = reserved.lt(amount) ? reserved : amount;
  return { fromReserved, fromAvailable: amount.minus(fromReserved) };
}

/**
 * The entries that post a part, both legs of it.
 * @throws Refusal (insufficient funds) when a payer has not what is neither reserved nor available
 */
export function entriesOf(terms: Terms, part: Part, holdings: LockedHoldings): Entry[] {
  const [delivery, payment] = owedFor(terms, part);
  const unitCost = terms.currency === DOLLAR && terms.cashAmount ? round8(terms.cashAmount.div(terms.quantity)) : null;
  return [
    ...leg(delivery as Owed, terms.destinationAccountId, holdings, unitCost),
    ...(payment ? leg(payment, terms.sourceAccountId, holdings, null) : []),
  ];
}

function leg(owed: Owed, to: string, holdings: LockedHoldings, unitCost: Decimal | null): Entry[] {
  const { accountId, asset, amount } = owed;
  const target = { accountId: to, asset, bucket: 'AVAILABLE', unitCost } as const;
  if (accountId === EXTERNAL_ACCOUNT_ID) return move({ accountId, asset, bucket: 'AVAILABLE' }, target, amount);
  const { fromReserved, fromAvailable } = sourcesOf(owed);
  const { available } = holdings(accountId, asset);
  if (available.lt(fromAvailable)) throw refuse.insufficientFunds(asset, available, fromAvailable);
  return [
    ...move({ accountId, asset, bucket: 'RESERVED' }, target, fromReserved),
    ...move({ accountId, asset, bucket: 'AVAILABLE' }, target, fromAvailable),
  ];
}

/** What stays reserved after a part. */
export function reservedAfter(terms: Terms, part: Part): { reservedQuantity: Decimal; reservedCash: Decimal } {
  const left = (owed: Owed | undefined) => (owed ? owed.reserved.minus(sourcesOf(owed).fromReserved) : dec(0));
  const [delivery, payment] = owedFor(terms, part);
  return { reservedQuantity: left(delivery), reservedCash: left(payment) };
}

/** Sets aside for a new instruction what it will take; nothing of the world outside. */
export function reserveEntries(terms: Terms): Entry[] {
  return owedFor(terms, restOf(terms)).flatMap((owed) => shift(owed, 'AVAILABLE', 'RESERVED', owed.reserved));
}

/** Gives back what is reserved for an instruction that takes no more. */
export function releaseEntries(terms: Terms): Entry[] {
  return owedFor(terms, restOf(terms)).flatMap((owed) => shift(owed, 'RESERVED', 'AVAILABLE', owed.reserved));
}
