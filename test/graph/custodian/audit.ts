/** An audit of the custodian's books in SQL, from the tables alone (domain.md §4.4). It finds what does not add up. */
import type { TestGraph } from '../../support/graph.ts';

/** Each gives a row for every fault. */
const CHECKS: Record<string, string> = {
  'a posting does not sum to zero': `
    select posting_id, asset from ledger_entries group by posting_id, asset having sum(amount) <> 0`,

  'a holding is not the sum of its entries': `
    select account_id, asset from holdings
      full join (
        select account_id, asset, sum(amount) filter (where bucket = 'AVAILABLE') as available,
               sum(amount) filter (where bucket = 'RESERVED') as reserved, sum(amount) filter (where bucket = 'HELD') as held
          from ledger_entries where account_id <> 'external' group by account_id, asset) as entries using (account_id, asset)
     where (coalesce(available_quantity, 0), coalesce(reserved_quantity, 0), coalesce(held_quantity, 0))
             <> (coalesce(available, 0), coalesce(reserved, 0), coalesce(held, 0))`,

  'what is kept is not what came in less what went out': `
    select asset from (select asset, sum(quantity) as kept from holdings group by asset) as held
      full join (select asset, -sum(amount) as came from ledger_entries where account_id = 'external' group by asset) as moved
     using (asset) where coalesce(kept, 0) <> coalesce(came, 0)`,
};

/** The checks that found something, with up to three of the rows that each found. */
export async function audit(graph: TestGraph): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [fault, statement] of Object.entries(CHECKS)) {
    const rows = await graph.sql('custodian', `select * from (${statement}) as finding limit 3`);
    if (rows.length > 0) found[fault] = rows;
  }
  return found;
}
