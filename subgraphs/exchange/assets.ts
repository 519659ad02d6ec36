/** Assets belong to market data; the exchange knows their codes. */
import { assetCode } from '../../platform/asset-code.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context } from './context.ts';

const KNOWN_ASSET = /* GraphQL */ `
  query KnownAsset($code: String!) {
    asset(code: $code) { code }
  }
`;

/**
 * Passes when the account holds the asset already, or market data knows it: money under a mistyped code would be lost to
 * its owner. Ask before the transaction is opened.
 * @throws Refusal (not found) when nobody knows it; (domain unavailable) when market data does not answer
 */
export async function requireAsset({ db, graph }: Context, accountId: string, asset: string): Promise<void> {
  const code = assetCode(asset);
  if (!isUuid(accountId)) return; // the command will say that there is no such account
  const balance = await db.one(sql`select from balances where account_id = ${accountId}::uuid and symbol = ${code}`);
  if (balance) return;
  const { asset: known } = await graph.request<{ asset: { code: string } | null }>(KNOWN_ASSET, { code });
  if (!known) throw refuse.notFound('Asset', code, ['input', 'asset']);
}
