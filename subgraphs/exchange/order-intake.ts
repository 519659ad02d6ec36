/** What comes in as an order: its terms, the checks that need no lock of the book, and repeats of a client order id. */
import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { boundedText, storableJson } from '../../platform/texts.ts';
import type { Tx } from './context.ts';
import type { PlaceExchangeOrderInput } from './generated/resolvers.ts';
import type { LockedAccount, LockedBook } from './locks.ts';
import { tradingBar } from './rules/account-lifecycle.ts';
import type { Market } from './rules/execution.ts';
import { type OrderTerms, readTerms } from './rules/order-entry.ts';
import type { FeeRates } from './rules/reserve.ts';
import { ID_LENGTH } from './rules/texts.ts';
import { settings } from './settings.ts';

/** An order that is to be placed. */
export interface IncomingOrder extends OrderTerms {
  orderId: string;
  accountId: string;
  clientOrderId: string | null;
  metadata: Record<string, unknown>;
  rates: FeeRates;
}

/**
 * The order that the input asks for, on the terms of today.
 * @throws Refusal (validation) on an input that is no order
 */
export function readOrder(account: LockedAccount, input: PlaceExchangeOrderInput): IncomingOrder {
  const { clientOrderId = null, metadata } = input;
  return {
    ...readTerms(input),
    orderId: crypto.randomUUID(),
    accountId: account.accountId,
    clientOrderId: clientOrderId === null ? null : boundedText(clientOrderId, ID_LENGTH, ['input', 'clientOrderId']),
    metadata: storableJson(metadata ?? {}, ['input', 'metadata']),
    rates: settings.rates,
  };
}

/**
 * The market of a symbol: the assets that change hands in it.
 * @throws Refusal (validation) when it is no symbol, or that of a perpetual, in which nothing is delivered
 */
export function marketOf(text: string): Market {
  const symbol = normaliseSymbol(text);
  const [base = '', quote = '', perpetual] = symbol.split('-');
  if (perpetual !== undefined) {
    throw refuse.validation(`${symbol} is a perpetual; this exchange trades spot instruments.`, ['input', 'symbol']);
  }
  return { symbol, base, quote };
}

/**
 * Passes when the account may trade.
 * @throws Refusal (validation) otherwise
 */
export function checkAccount(account: LockedAccount): void {
  const bar = tradingBar(account, settings);
  const path = ['input', 'accountId'];
  if (bar === 'ACCOUNT_NOT_ACTIVE') {
    throw refuse.validation(`The account is ${account.status}; only an ACTIVE one places orders.`, path);
  }
  if (bar === 'KYC_NOT_APPROVED') {
    throw refuse.validation(`The account's KYC is ${account.kycStatus}; orders need an APPROVED one.`, path);
  }
}

/**
 * Passes when the order did not come too late. The instant is the one at which the book was locked, which no later command
 * in this book comes before: once an order was refused here, no other with the same bound is placed.
 * @throws Refusal (validation) otherwise
 */
export async function checkInTime(tx: Tx, { at }: LockedBook, notAfter: string | null | undefined): Promise<void> {
  if (notAfter === null || notAfter === undefined) return;
  const [given] = await tx.$queryRaw<{ isLate: boolean }[]>(
    sql`select ${at}::timestamptz > ${notAfter}::timestamptz as "isLate"`,
  );
  if (!given?.isLate) return;
  throw refuse.validation(`The order was to be placed until ${notAfter}, and came later.`, ['input', 'notAfter']);
}

interface KnownOrder {
  orderId: string;
  symbol: string;
  type: string;
  side: string;
  timeInForce: string;
  quantity: Decimal;
  price: Decimal | null;
  stopPrice: Decimal | null;
  metadata: object;
}

/**
 * The order that the account placed before under this client order id, or null.
 * @throws Refusal (conflict) when its content was another
 */
export async function findRepeat(tx: Tx, order: IncomingOrder, { symbol }: Market): Promise<string | null> {
  if (order.clientOrderId === null) return null;
  const [known] = await tx.$queryRaw<KnownOrder[]>(
    sql`select order_id as "orderId", symbol, order_type as type, side, time_in_force as "timeInForce", quantity, price,
               stop_price as "stopPrice", metadata
          from orders where account_id = ${order.accountId}::uuid and client_order_id = ${order.clientOrderId}`,
  );
  if (!known) return null;
  if (!isDeepStrictEqual(contentOf(known), contentOf({ ...order, symbol }))) {
    const message = `The account has an order with clientOrderId "${order.clientOrderId}" and other content.`;
    throw refuse.conflict(null, message, ['input', 'clientOrderId']);
  }
  return known.orderId;
}

function contentOf({
  symbol,
  type,
  side,
  timeInForce,
  quantity,
  price,
  stopPrice,
  metadata,
}: Omit<KnownOrder, 'orderId'>) {
  const amounts = [quantity, price, stopPrice].map((amount) => amount && toWire(amount));
  // An object written into the document has no prototype, one from storage has; as JSON they are alike.
  return [symbol, type, side, timeInForce, ...amounts, JSON.parse(JSON.stringify(metadata))];
}
