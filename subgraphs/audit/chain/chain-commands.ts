/** What administrators do with chains. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type { AnchorChainsInput, ResealChainInput } from '../generated/resolvers.ts';
import { append } from '../trail/append.ts';
import { ownEvent, record } from '../trail/own.ts';
import type { ChainBreakRow, ChainRow } from './chains.ts';

export type AnchoredPayload = CommandPayload<{ anchorIds: string[] }>;
export type ChainPayload = CommandPayload<{ chainId: string }>;

const NAME_LENGTH = 255;
const REASON_LENGTH = 2_000;

/** Writes the heads down outside the database. */
export function anchorChains(context: Context, input: AnchorChainsInput): Promise<AnchoredPayload> {
  return command(context, 'anchorChains', input, async (tx) => {
    const by = boundedText(input.by, NAME_LENGTH, ['input', 'by']);
    const anchors = await context.service.chains.anchor();
    const heads = anchors.map(({ chainId, sequence, hash }) => ({ chainId, sequence, hash }));
    const payload = { heads, places: anchors[0]?.places ?? [] };
    await record(context, tx, { eventType: 'chains_anchored', entityType: 'AuditChain', entityId: 'all', by, payload });
    return { anchorIds: anchors.map(({ anchorId }) => anchorId) };
  });
}

/** Begins the chain that goes on after a broken one. */
export function resealChain(context: Context, input: ResealChainInput): Promise<ChainPayload> {
  return command(context, 'resealChain', input, async (tx) => {
    const by = boundedText(input.by, NAME_LENGTH, ['input', 'by']);
    const reason = boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    const chain = await lockChain(tx, input.chainId);
    if (chain.state !== 'broken')
      throw refuse.invalidTransition('INTACT', 'RESEALED', ['BROKEN'], ['input', 'chainId']);
    if (!chain.isCurrent) {
      throw refuse.validation('Another chain goes on after this one already.', ['input', 'chainId']);
    }
    const breaks = await tx.$queryRaw<Pick<ChainBreakRow, 'breakId' | 'sequence' | 'kind' | 'detail'>[]>(sql`
      select break_id as "breakId", sequence::text as sequence, kind, detail from chain_breaks
       where chain_id = ${chain.chainId} and resealed_as is null order by chain_breaks.sequence`);
    const [counted] = await tx.$queryRaw<{ count: number }[]>(
      sql`select count(*)::int as count from chain_heads where domain = ${chain.domain}`,
    );
    const chainId = `audit:${chain.domain}:${(counted?.count ?? 0) + 1}`;
    await tx.$executeRaw(sql`update chain_heads set is_current = false where chain_id = ${chain.chainId}`);
    await tx.$executeRaw(sql`insert into chain_heads (chain_id, domain) values (${chainId}, ${chain.domain})`);
    await tx.$executeRaw(sql`
      update chain_breaks set resealed_as = ${chainId}, resealed_at = ${context.now()}::timestamptz, resealed_by = ${by}
       where chain_id = ${chain.chainId} and resealed_as is null`);
    const { sequence, hash } = chain;
    const event = ownEvent(context, {
      eventType: 'chain_resealed',
      entityType: 'AuditChain',
      entityId: chainId,
      by,
      severity: 'critical',
      payload: { reason, broken: { chainId: chain.chainId, sequence, hash, breaks } },
    });
    const domain = chain.domain === 'external' ? null : chain.domain;
    await append(statementsOf(tx), context.db, [{ ...event, domain }], context.now());
    return { chainId };
  });
}

async function lockChain(
  tx: Tx,
  chainId: string,
): Promise<Pick<ChainRow, 'chainId' | 'domain' | 'state' | 'isCurrent' | 'sequence' | 'hash'>> {
  const [row] = await tx.$queryRaw<
    Pick<ChainRow, 'chainId' | 'domain' | 'state' | 'isCurrent' | 'sequence' | 'hash'>[]
  >(sql`
    select chain_id as "chainId", domain, state, is_current as "isCurrent", sequence::text as sequence, hash
      from chain_heads where chain_id = ${chainId} for update`);
  if (!row) throw refuse.notFound('AuditChain', chainId, ['input', 'chainId']);
  return row;
}
