/** What a request says of how old its answer may be. */
import type { Domain } from '../domains.ts';
import { badInput } from '../errors.ts';
import type { Degradation, Reading } from './family.ts';

/** Header with the tokens of commands that the answer must show, separated by commas. */
export const READ_AFTER = 'x-read-after';

const NO_CACHE = /(^|,)\s*no-cache\s*(,|$)/i;
const TOKEN = /^([a-z-]+)\.(\d{1,15})$/;
const TOKENS_LIMIT = 100;

export interface ReadingParts {
  domain: Domain;
  headers: Readonly<Record<string, string | undefined>>;
  isFresh: boolean;
  degraded: Map<string, Degradation>;
}

/** @throws GraphQLError (bad input) when the header holds what is no token */
export function readingOf({ domain, headers, isFresh, degraded }: ReadingParts): Reading {
  return {
    isFresh: isFresh || NO_CACHE.test(headers['cache-control'] ?? ''),
    after: transactionsOf(domain, headers[READ_AFTER]),
    degrade(state) {
      const known = degraded.get(state.store);
      if (!known || (state.asOf !== null && (known.asOf === null || state.asOf < known.asOf))) {
        degraded.set(state.store, state);
      }
    },
  };
}

/** The token of a command: its transaction in its domain's database. */
export function readTokenOf(domain: Domain, xid: number): string {
  return `${domain}.${xid}`;
}

/** The transactions of this domain that the tokens name. */
function transactionsOf(domain: Domain, header: string | undefined): readonly number[] {
  if (!header) return [];
  const tokens = header.split(',', TOKENS_LIMIT + 1).map((token) => token.trim());
  if (tokens.length > TOKENS_LIMIT) throw badInput(`${READ_AFTER} takes at most ${TOKENS_LIMIT} tokens.`);
  return tokens.flatMap((token) => {
    const [, of, xid] = TOKEN.exec(token) ?? [];
    if (xid === undefined) throw badInput(`${READ_AFTER} takes the readToken of commands, but got "${token}".`);
    return of === domain ? [Number(xid)] : [];
  });
}
