/** The chains as they are stored: heads, breaks, anchors; and looking whether they hold. */
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { inTransaction, type Statements } from '../../../platform/database/transaction.ts';
import { badInput } from '../../../platform/errors.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { GENESIS_HASH, type Head } from '../rules/chain.ts';
import { type BreakKind, ChainCheck, type Verdict } from '../rules/verification.ts';
import { VERIFIABLE, verifiable } from '../trail/events.ts';
import { type AnchorPlace, Anchors } from './anchors.ts';

/** A row of `chain_heads`. */
export interface ChainRow {
  chainId: string;
  domain: string;
  isCurrent: boolean;
  state: 'intact' | 'broken';
  sequence: string;
  hash: string;
  createdAt: string;
  updatedAt: string;
}

/** A row of `chain_breaks`. */
export interface ChainBreakRow {
  breakId: string;
  chainId: string;
  sequence: string;
  kind: BreakKind;
  detail: string;
  foundAt: string;
  resealedAs: string | null;
  resealedAt: string | null;
  resealedBy: string | null;
}

/** A row of `chain_anchors`. */
export interface ChainAnchorRow {
  anchorId: string;
  chainId: string;
  sequence: string;
  hash: string;
  anchoredAt: string;
  places: AnchorPlace[];
}

export type ChainAnchorPage = Connection<ChainAnchorRow>;

export const anchorList = connectionSource<ChainAnchorRow>({
  table: 'chain_anchors',
  id: 'anchor_id',
  sorts: { AT: 'anchored_at' },
});

export interface Verification extends Verdict {
  chainId: string;
  from: string;
  to: string | null;
  /** The furthest that was written down outside the database; null where nothing was. */
  anchoredUntil: string | null;
  verifiedAt: string;
}

/** Rows looked at together. */
const PART = 2_000;

export class Chains {
  readonly anchors: Anchors;
  private readonly parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.parts = parts;
    this.anchors = new Anchors(parts);
  }

  private get db(): Database {
    return this.parts.db;
  }

  /** All chains, or those of a domain, by their ids. */
  list(): Promise<ChainRow[]> {
    return this.db.query<ChainRow>(sql`select * from chain_heads order by chain_id`);
  }

  head(chainId: string): Promise<ChainRow | null> {
    return this.db.one<ChainRow>(sql`select * from chain_heads where chain_id = ${chainId}`);
  }

  /** Writes the heads of all chains down outside the database. */
  async anchor(): Promise<ChainAnchorRow[]> {
    const heads = (await this.list()).filter(({ sequence }) => sequence !== '0');
    if (heads.length === 0) return [];
    const told = heads.map(({ chainId, sequence, hash }): Head => ({ chainId, sequence: Number(sequence), hash }));
    const places = await this.anchors.write(told);
    return this.db.query<ChainAnchorRow>(sql`
      insert into chain_anchors (chain_id, sequence, hash, anchored_at, places)
      select "chainId", sequence, hash, ${this.parts.now()}::timestamptz, ${places}::text[]
        from jsonb_to_recordset(${JSON.stringify(told)}::jsonb) as head("chainId" text, sequence bigint, hash text)
      returning *`);
  }

  /**
   * Looks at a chain, or a part of it, and keeps what is wrong with it. Null where there is no such chain.
   * @throws GraphQLError (bad input) on numbers that are none
   */
  async verify(chainId: string, from = 1, to: number | null = null): Promise<Verification | null> {
    if (from < 1 || (to !== null && to < from)) {
      throw badInput(`from must be at least 1, and to not below it, but got ${from} and ${to}.`, ['from']);
    }
    const anchors = await this.anchors.read(chainId);
    const found = await inTransaction(this.db, async (tx) => {
      await tx.query(sql`set transaction isolation level repeatable read, read only`); // what is sealed meanwhile is not there
      const [head] = await tx.query<ChainRow>(sql`select * from chain_heads where chain_id = ${chainId}`);
      if (!head && anchors.length === 0) return null;
      const previousHash = from === 1 ? undefined : await hashAt(tx, chainId, from - 1);
      const stored = { sequence: Number(head?.sequence ?? 0), hash: head?.hash ?? GENESIS_HASH };
      const check = new ChainCheck({ from, to, head: stored, anchors, previousHash });
      await feed(tx, check, chainId);
      return { head, verdict: await check.end((hash) => holds(tx, chainId, hash)) };
    });
    if (!found) return null;
    if (found.head) await this.noteBreak(chainId, found.verdict);
    return {
      ...found.verdict,
      chainId,
      from: String(from),
      to: to === null ? null : String(to),
      anchoredUntil: anchors.length === 0 ? null : String(anchors.at(-1)?.sequence),
      verifiedAt: this.parts.now().toISOString(),
    };
  }

  /** The chain is broken from now on; each place is told once. */
  private async noteBreak(chainId: string, { firstBreak }: Verdict): Promise<void> {
    if (!firstBreak) return;
    const { sequence, kind, detail } = firstBreak;
    const isNew = await inTransaction(this.db, async (tx) => {
      await tx.query(sql`update chain_heads set state = 'broken' where chain_id = ${chainId} and state = 'intact'`);
      const made = await tx.query(sql`
        insert into chain_breaks (chain_id, sequence, kind, detail) values (${chainId}, ${sequence}, ${kind}, ${detail})
        on conflict do nothing returning break_id`);
      return made.length > 0;
    });
    if (!isNew) return;
    this.parts.feed.ring();
    this.parts.log.error({ chainId, ...firstBreak }, 'a chain of the audit is broken');
  }
}

/** Gives the check the rows of its part, until it has seen enough. */
async function feed(tx: Statements, check: ChainCheck, chainId: string): Promise<void> {
  const { from, to } = check.scope;
  let [after, lastId] = [from - 1, ''];
  for (;;) {
    const rows = await tx.query<Parameters<typeof verifiable>[0]>(sql`
      select ${VERIFIABLE} from all_events
       where chain_id = ${chainId} and sequence >= ${from} and (sequence, event_id) > (${after}::bigint, ${lastId})
         and (${to}::bigint is null or sequence <= ${to}::bigint)
       order by sequence, event_id limit ${PART}`);
    if (!check.take(rows.map(verifiable)) || rows.length < PART) return;
    const last = rows.at(-1);
    [after, lastId] = [Number(last?.sequence), last?.eventId ?? ''];
  }
}

async function hashAt(tx: Statements, chainId: string, sequence: number): Promise<string | undefined> {
  const [row] = await tx.query<{ hash: string }>(
    sql`select hash from all_events where chain_id = ${chainId} and sequence = ${sequence}`,
  );
  return row?.hash;
}

async function holds(tx: Statements, chainId: string, hash: string): Promise<boolean> {
  const rows = await tx.query(
    sql`select 1 as found from all_events where chain_id = ${chainId} and hash = ${hash} limit 1`,
  );
  return rows.length > 0;
}
