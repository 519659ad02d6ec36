/** How far limits are used, measured when it is asked for. */

import { round8 } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import type { LimitUtilisationFilter } from '../generated/resolvers.ts';
import type { Limit, RiskLimitRow } from '../limits/limits.ts';
import { accountReference } from '../references.ts';
import { type LimitScope, warningShare } from '../rules/limit-terms.ts';
import { BANDS, type Band, bandOf } from '../rules/utilisation.ts';

/** A limit and one thing that it is about, as it is now or as it is stored. */
export interface UtilisationState extends LimitScope {
  limitId: string;
  /** Where it has been read already. */
  row?: RiskLimitRow;
  currentValue: string;
  thresholdValue: string;
  utilisation: string;
  band: Band;
  isStale: boolean;
  measuredAt: string;
}

interface Wanted {
  limitId?: string;
  type?: string;
  accountId?: string;
  strategyId?: string;
  instrumentId?: string;
  band?: Band;
}

export const UTILISATION_LIMIT = 500;

/**
 * The utilisations that are wanted, the most used first.
 * @throws Refusal (domain unavailable) while trading or market data cannot be reached
 */
export async function utilisations(context: Context, wanted: Wanted): Promise<UtilisationState[]> {
  const { book, portfolios, limits } = context.service;
  await Promise.all([book.ready(), limits.ready(), portfolios.history.refresh()]);
  const inForce = limits.inForce();
  const accountIds = accountsOf(context, wanted);
  const measuredAt = context.now().toISOString();
  const found = accountIds.flatMap((accountId) => {
    const isStale = portfolios.isStale(accountId);
    return portfolios.measure(accountId, inForce).map(({ limit, subject, current, utilisation }) => ({
      ...subject,
      limitId: limit.row.limitId,
      row: limit.row,
      currentValue: round8(current).toFixed(),
      thresholdValue: limit.row.thresholdValue,
      utilisation: round8(utilisation).toFixed(),
      exact: utilisation,
      band: bandOf(utilisation, warningShare(limit as Limit), 'ok'),
      isStale,
      measuredAt,
    }));
  });
  return found
    .filter(
      (one) =>
        (wanted.limitId === undefined || one.limitId === wanted.limitId) &&
        (wanted.type === undefined || one.row.limitType === wanted.type) &&
        (wanted.strategyId === undefined || one.strategyId === wanted.strategyId) &&
        (wanted.instrumentId === undefined || one.instrumentId === wanted.instrumentId) &&
        (wanted.band === undefined || BANDS.indexOf(one.band) >= BANDS.indexOf(wanted.band)),
    )
    .sort((a, b) => b.exact.cmp(a.exact));
}

/** Those accounts that can have what is wanted. */
function accountsOf({ service: { book } }: Context, { accountId, strategyId, instrumentId }: Wanted): string[] {
  if (accountId !== undefined) return [accountId];
  if (instrumentId !== undefined) return book.accountsHolding(instrumentId);
  const owner = strategyId === undefined ? undefined : book.accountOfStrategy(strategyId);
  if (owner === undefined) return book.accountIds();
  return owner === null ? [] : [owner];
}

/** A filter in the spelling of rows. Throws a validation Refusal on a symbol or account that is none. */
export function wantedBy(filter: LimitUtilisationFilter | null | undefined): Wanted {
  const { limitId, type, accountId, strategyId, symbol, band } = filter ?? {};
  return {
    ...(limitId && { limitId }),
    ...(type && { type: stored(type) }),
    ...(accountId && { accountId: accountReference(accountId, ['filter', 'accountId']) }),
    ...(strategyId && { strategyId }),
    ...(symbol && { instrumentId: normaliseSymbol(symbol, ['filter', 'symbol']) }),
    ...(band && { band: stored(band) }),
  };
}
