/** What risk refers to and other domains own. */
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { boundedText } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { LimitScope } from './rules/limit-terms.ts';

const EXCHANGE = 'exchange:';
const REFERENCE = /^(exchange|custody):(.{1,240})$/s;
const NAME_LENGTH = 255;

/** Instrument of a metric that is of the portfolio as a whole. */
export const PORTFOLIO = 'PORTFOLIO';

/**
 * An account in its one spelling: `exchange:<uuid>` or `custody:<id>` (domain.md §1.4). The id alone is an exchange
 * account's.
 * @throws Refusal (validation) when it is neither
 */
export function accountReference(text: string, path: readonly string[] = ['accountId']): string {
  const [, kind, id = ''] = REFERENCE.exec(text) ?? [];
  if (kind === 'custody') return boundedText(text, NAME_LENGTH, path);
  const uuid = kind === 'exchange' ? id : text;
  if (isUuid(uuid)) return `${EXCHANGE}${uuid.toLowerCase()}`;
  throw refuse.validation(`${path.at(-1)} must be exchange:<UUID>, custody:<id> or a UUID, but got "${text}".`, path);
}

/** The exchange account of a reference; null where it is none. */
export function exchangeAccountId(reference: string | null): string | null {
  return reference?.startsWith(EXCHANGE) ? reference.slice(EXCHANGE.length) : null;
}

export function exchangeReference(accountId: string): string {
  return `${EXCHANGE}${accountId.toLowerCase()}`;
}

/** A custodian's account as risk names it. */
export function custodyReference(accountId: string): string {
  return `custody:${accountId}`;
}

interface ScopeInput {
  symbol?: string | null | undefined;
  asset?: string | null | undefined;
  accountId?: string | null | undefined;
  strategyId?: string | null | undefined;
}

const ASSET = /^[A-Z0-9]{2,12}$/;

/** Code of an asset in its one spelling. Throws a validation Refusal on a text that is none. */
export function assetCode(text: string, path: readonly string[]): string {
  const code = text.trim().toUpperCase();
  if (ASSET.test(code)) return code;
  throw refuse.validation(`asset must be a code such as BTC, but got "${text}".`, path);
}

/** The scope with each part in its one spelling. Throws a validation Refusal on a part that is none. */
export function scopeOf(scope: ScopeInput | null | undefined, path: readonly string[]): LimitScope {
  const { symbol, asset, accountId, strategyId } = scope ?? {};
  return {
    instrumentId: symbol ? normaliseSymbol(symbol, [...path, 'symbol']) : null,
    asset: asset ? assetCode(asset, [...path, 'asset']) : null,
    accountId: accountId ? accountReference(accountId, [...path, 'accountId']) : null,
    strategyId: strategyId ? boundedText(strategyId, NAME_LENGTH, [...path, 'strategyId']) : null,
  };
}

/** Whoever does something, as he names himself. */
export function actor(text: string, path: readonly string[] = ['input', 'by']): string {
  return boundedText(text, NAME_LENGTH, path);
}
