/** Whether an order may be placed, answered from memory. */
import { dec, round8 } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import type { PreTradeCheckInput } from '../generated/resolvers.ts';
import type { Limit, RiskLimitRow } from '../limits/limits.ts';
import { isStale } from '../monitor/book.ts';
import { accountReference } from '../references.ts';
import { assetsOf, STALE_AFTER_MS, usdRate } from '../rules/conversion.ts';
import { type CheckResult, checkOrder, scoreOf, unitValueOf } from '../rules/pre-trade.ts';

export interface PreTradeAnswer {
  isAllowed: boolean;
  checks: {
    name: string;
    isPassed: boolean;
    message: string;
    utilisation: string | null;
    limit: RiskLimitRow | null;
  }[];
  score: string;
  isStale: boolean;
  asOf: string;
}

/**
 * Looks at the order by the limits in force and the circuit breaker.
 * @throws Refusal (validation) when it is none; (domain unavailable) when what is known is not current
 */
export async function preTradeCheck(context: Context, input: PreTradeCheckInput): Promise<PreTradeAnswer> {
  const { book, limits, checks: record } = context.service;
  const instrumentId = normaliseSymbol(input.symbol, ['input', 'symbol']);
  const accountId = accountReference(input.accountId, ['input', 'accountId']);
  const quantity = dec(input.quantity);
  if (quantity.lte(0)) throw refuse.validation('quantity must be positive.', ['input', 'quantity']);
  if (input.price && dec(input.price).lte(0)) throw refuse.validation('price must be positive.', ['input', 'price']);

  if (!limits.isCurrent()) await limits.ready();
  const inForce = limits.inForce();
  // Without a limit nothing but the breaker has a say, and nobody need be followed.
  if (inForce.length > 0 && !book.isFollowing()) await book.ready();
  if (!limits.isCurrent()) throw refuse.domainUnavailable('risk');
  if (inForce.length > 0 && !book.priceOf(instrumentId)) await book.want([instrumentId]);

  const holdings = book.hasStarted ? book.holdingsOf(accountId) : [];
  const { quote } = assetsOf(instrumentId);
  const latest = book.priceOf(instrumentId);
  const price = input.price ?? latest?.price ?? null;
  const checks = checkOrder<Limit>(
    {
      accountId,
      strategyId: input.strategyId,
      instrumentId,
      side: input.side === 'BUY' ? 'buy' : 'sell',
      quantity,
      unitValue: unitValueOf(price === null ? null : dec(price), usdRate(quote, book.allPrices())),
    },
    { breaker: limits.breaker()?.state ?? 'open', holdings, openOrders: book.openOrdersOf(accountId) },
    inForce,
  );
  const now = context.now();
  const isOld = latest !== undefined && now.getTime() - Date.parse(latest.at) > STALE_AFTER_MS;
  const failed = checks.find(({ isPassed }) => !isPassed);
  const answer = {
    isAllowed: failed === undefined,
    checks: checks.map(resultOf),
    score: round8(scoreOf(checks)).toFixed(),
    isStale: isOld || (inForce.length > 0 && latest === undefined) || isStale(holdings, now),
    asOf: now.toISOString(),
  };
  record.add({
    accountId,
    strategyId: input.strategyId ?? null,
    instrumentId,
    side: input.side === 'BUY' ? 'buy' : 'sell',
    quantity: quantity.toFixed(),
    price,
    isAllowed: answer.isAllowed,
    refusal: failed?.message ?? null,
    limitId: failed?.limit?.row.limitId ?? null,
    isStale: answer.isStale,
    traceId: context.traceId,
    checkedAt: answer.asOf,
  });
  return answer;
}

function resultOf({ name, isPassed, message, utilisation, limit }: CheckResult<Limit>) {
  return {
    name,
    isPassed,
    message,
    utilisation: utilisation && round8(utilisation).toFixed(),
    limit: limit?.row ?? null,
  };
}
