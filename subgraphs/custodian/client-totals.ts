/** What a client keeps over all of its accounts, by asset. */
import { sql } from '../../platform/database/sql.ts';
import type { Context } from './context.ts';

export interface ClientTotals {
  clientId: string;
}

export interface AssetTotal {
  asset: string;
  available: string;
  reserved: string;
  held: string;
  total: string;
  segregated: string;
}

/** The sums by asset; clients asked for in one tick share a statement. Empty when nothing was ever kept. */
export function totalsOf(context: Context, clientId: string): Promise<AssetTotal[]> {
  return context.batch('clientTotals', clientId, async (clientIds) => {
    const rows = await context.db.query<AssetTotal & { clientId: string }>(
      sql`select client_id, asset, sum(available_quantity) as available, sum(reserved_quantity) as reserved,
                 sum(held_quantity) as held, sum(quantity) as total,
                 coalesce(sum(quantity) filter (where kind = 'SEGREGATED'), 0) as segregated
            from holdings join accounts using (account_id)
           where client_id = any(${clientIds}::text[])
           group by client_id, asset order by client_id, asset`,
    );
    return clientIds.map((id) => rows.filter((row) => row.clientId === id));
  });
}
