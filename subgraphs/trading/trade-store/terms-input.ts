/** The terms of a managed trade as a caller gives them, checked and in the shape of stores. */
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import type { ManagedTradeTermsInput } from '../generated/resolvers.ts';
import { positiveAmount } from '../rules/amounts.ts';
import { NAME_LENGTH } from '../rules/texts.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';

type Terms = Pick<
  ManagedTrade,
  | 'leverage'
  | 'slPrice'
  | 'tpPrice'
  | 'trailPercent'
  | 'model'
  | 'confidence'
  | 'metaStrategyId'
  | 'regime'
  | 'rlStateKey'
  | 'rlActionKey'
  | 'rlLeverageOriginal'
  | 'metadata'
>;

type Optional = string | null | undefined;

const LEVERAGE_PLACES = 4;

/** @throws Refusal (validation) on what cannot be stored; what must hold between them the rules say */
export function readTerms(input: ManagedTradeTermsInput, path: readonly string[]): Terms {
  const price = (value: Optional, field: string) =>
    value === null || value === undefined ? null : positiveAmount(value, [...path, field]).toFixed();
  const leverage = (value: Optional, field: string) => {
    const amount = price(value, field);
    if (amount === null || dec(amount).decimalPlaces() <= LEVERAGE_PLACES) return amount;
    throw refuse.validation(`${field} takes at most ${LEVERAGE_PLACES} fractional digits, but got ${amount}.`, [
      ...path,
      field,
    ]);
  };
  const text = (value: Optional, field: string) =>
    value === null || value === undefined ? null : boundedText(value, NAME_LENGTH, [...path, field]);
  return {
    leverage: leverage(input.leverage, 'leverage') ?? '1',
    slPrice: price(input.stopLossPrice, 'stopLossPrice'),
    tpPrice: price(input.takeProfitPrice, 'takeProfitPrice'),
    trailPercent: price(input.trailFraction, 'trailFraction'),
    model: text(input.model, 'model'),
    confidence: input.confidence ?? '0',
    metaStrategyId: text(input.metaStrategyId, 'metaStrategyId'),
    regime: text(input.regime, 'regime'),
    rlStateKey: text(input.rlStateKey, 'rlStateKey'),
    rlActionKey: text(input.rlActionKey, 'rlActionKey'),
    rlLeverageOriginal: leverage(input.rlOriginalLeverage, 'rlOriginalLeverage'),
    metadata: storableJson(input.metadata ?? {}, [...path, 'metadata']),
  };
}
