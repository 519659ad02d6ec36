/** Assets belong to market data; the custodian remembers those it keeps, and which of them are money. */
import { assetCode } from '../../platform/asset-code.ts';
import { beforehand } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Context, Tx } from './context.ts';

const KNOWN_ASSET = /* GraphQL */ `
  query KnownAsset($code: String!) {
    asset(code: $code) { code kind }
  }
`;

/** What is money though nobody has said so. */
const CURRENCIES: readonly string[] = ['USD', 'EUR', 'GBP', 'JPY', 'CHF'];

/** Makes an asset known to the tables, within a command. */
export type RememberAsset = (tx: Tx) => Promise<void>;

/**
 * Looks whether market data knows the asset: what is kept under a mistyped code would be lost to its owner. Ask before
 * the transaction is opened; within it, `remember` throws what was found wrong: Refusal (validation) on no asset code,
 * (not found) when nobody knows it, (domain unavailable) when market data does not answer.
 */
export async function requireAsset(
  { domain, db, graph }: Pick<Context, 'domain' | 'db' | 'graph'>,
  asset: string,
): Promise<RememberAsset> {
  const known = await beforehand(domain, async () => {
    const code = assetCode(asset);
    const kept = await db.one(sql`select from assets where code = ${code}`);
    return kept ? null : { code, isCash: await isCash(graph, code) };
  });
  return async (tx) => {
    const found = known();
    if (!found) return;
    await tx.$executeRaw(
      sql`insert into assets (code, is_cash) values (${found.code}, ${found.isCash}) on conflict do nothing`,
    );
  };
}

async function isCash(graph: GraphClient, code: string): Promise<boolean> {
  const { asset } = await graph.request<{ asset: { kind: string | null } | null }>(KNOWN_ASSET, { code });
  if (!asset) throw refuse.notFound('Asset', code, ['input', 'asset']);
  return asset.kind === null ? CURRENCIES.includes(code) : asset.kind === 'FIAT';
}
