/** How postings are written: the ledger's trigger moves the holdings with them, or refuses the whole. */
import { sql } from '../../platform/database/sql.ts';
import type { Context, Tx } from './context.ts';
import type { Entry, Reference } from './rules/entries.ts';

/** Writes one posting and gives its id. The holdings that it moves must be locked (locks.ts) and suffice. */
export async function post(
  tx: Tx,
  { traceId }: Pick<Context, 'traceId'>,
  reference: Reference,
  entries: readonly Entry[],
): Promise<string> {
  const postingId = crypto.randomUUID();
  const { kind, refType, refId } = reference;
  await tx.$executeRaw(
    sql`insert into ledger_entries (posting_id, account_id, asset, bucket, amount, unit_cost, kind, ref_type, ref_id, trace_id)
        select ${postingId}::uuid, "accountId", asset, bucket, amount, "unitCost", ${kind}, ${refType}, ${refId}, ${traceId}
          from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb) as entry(
                 "accountId" text, asset text, bucket text, amount numeric, "unitCost" numeric)`,
  );
  return postingId;
}
