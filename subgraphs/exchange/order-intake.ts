/** What comes in as an order: its terms, the checks that need no lock of the book, and repeats of a client order id. */
import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, toWire } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { compareInstants } from '../../platform/instant.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { boundedText, storableJson } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Tx } from './context.ts';
import type { PlaceExchangeOrderInput } from './generated/resolvers.ts';
import type { LockedAccount, LockedBook } from './locks.ts';
import { tradingBar } from './rules/account-lifecycle.ts';
import type { IncomingOrder } from './rules/book-session.ts';
import type { Market } from './rules/execution.ts';
import { readTerms } from './rules/order-entry.ts';
import { ID_LENGTH } from './rules/texts.ts';
import { settings } from './settings.ts';

/**
 * The order that the input asks for, on the terms of today.
 * @throws Refusal (validation) on an input that is no order
 */
export function readOrder(input: PlaceExchangeOrderInput): IncomingOrder {
  const { clientOrderId = null, metadata } = input;
  return {
    ...readTerms(input),
    orderId: crypto.randomUUID(),
    accountId: input.accountId.toLowerCase(),
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
export function checkInTime({ at }: LockedBook, notAfter: string | null | undefined): void {
  if (notAfter === null || notAfter === undefined || compareInstants(at, notAfter) <= 0) return;
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

/** Orders that were placed before under the client order ids of others. */
export class KnownOrders {
  readonly #known = new Map<string, KnownOrder>();

  add(order: KnownOrder & { accountId: string; clientOrderId: string | null }): void {
    if (order.clientOrderId !== null) this.#known.set(`${order.accountId} ${order.clientOrderId}`, order);
  }

  /**
   * The id of the order that this one repeats, or null.
   * @throws Refusal (conflict) when its content was another
   */
  repeatedBy(order: IncomingOrder, { symbol }: Market): string | null {
    const known =
      order.clientOrderId === null ? undefined : this.#known.get(`${order.accountId} ${order.clientOrderId}`);
    if (!known) return null;
    if (!isDeepStrictEqual(contentOf(known), contentOf({ ...order, symbol }))) {
      const message = `The account has an order with clientOrderId "${order.clientOrderId}" and other content.`;
      throw refuse.conflict(null, message, ['input', 'clientOrderId']);
    }
    return known.orderId;
  }
}

/** What the accounts of the orders have placed before under their client order ids. */
export async function readKnownOrders(tx: Tx, orders: readonly IncomingOrder[]): Promise<KnownOrders> {
  const known = new KnownOrders();
  const named = orders.filter(({ accountId, clientOrderId }) => clientOrderId !== null && isUuid(accountId));
  if (named.length === 0) return known;
  const [accounts, ids] = [named.map(({ accountId }) => accountId), named.map(({ clientOrderId }) => clientOrderId)];
  const rows = await tx.$queryRaw<(KnownOrder & { accountId: string; clientOrderId: string })[]>(
    sql`select account_id as "accountId", client_order_id as "clientOrderId", order_id as "orderId", symbol,
               order_type as type, side, time_in_force as "timeInForce", quantity, price, stop_price as "stopPrice", metadata
          from orders
         where (account_id, client_order_id) in (select * from unnest(${accounts}::uuid[], ${ids}::text[]))`,
  );
  for (const row of rows) known.add(row);
  return known;
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
