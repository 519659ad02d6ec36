/** What strategies were given to trade with; returns are reckoned from it. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { badInput } from '../../../platform/errors.ts';
import { derived } from '../../../platform/loaders.ts';
import type { Context } from '../context.ts';

const OF_ACCOUNT = derived<string | null>({
  name: 'capital by account',
  table: 'strategies',
  column: 'account_id',
  keyType: 'uuid',
  absent: null,
});

/** Sum of the capital of the account's strategies; null when none has any. */
export function capitalOfAccount(context: Context, accountId: string): Promise<string | null> {
  return context.derive(OF_ACCOUNT, accountId, async (ids) => {
    const rows = await context.db.query<{ accountId: string; capital: string | null }>(
      sql`select account_id, sum(capital) as capital from strategies
           where account_id = any(${ids}::uuid[]) group by account_id`,
    );
    const byAccount = new Map(rows.map((row) => [row.accountId, row.capital]));
    return ids.map((id) => byAccount.get(id) ?? null);
  });
}

/** The capital that a caller gives in place of the stored one. Throws BAD_USER_INPUT unless it is above zero. */
export function capitalOf(given: string | null | undefined, stored: string | null): Decimal | null {
  if (given === null || given === undefined) return stored === null ? null : dec(stored);
  if (dec(given).lte(0)) throw badInput(`capital must be above zero, but got ${given}.`, ['capital']);
  return dec(given);
}
