/** Rows that a test of live updates moves by plain SQL, as another service would. */
import type { TestGraph } from '../../support/graph.ts';

export const FUND = '00000000-0000-4000-8000-000000000001';
export const OTHER = '00000000-0000-4000-8000-000000000002';

export async function addStrategy(graph: TestGraph, strategyId: string, accountId = FUND): Promise<void> {
  await graph.sql(
    'trading',
    `insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
     values ($1, $1, 'custom', $2, '{BTC-USD,ETH-USD}')`,
    [strategyId, accountId],
  );
}

export async function addPosition(
  graph: TestGraph,
  positionId: string,
  { strategyId = 's1', accountId = FUND, symbol = 'BTC-USD', quantity = '1' } = {},
): Promise<void> {
  await graph.sql(
    'trading',
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
                            current_price, marked_at, opened_at)
     values ($1, $2, $3, $4, $5, 50000, 50000, now(), now())`,
    [positionId, strategyId, accountId, symbol, quantity],
  );
}

export async function setQuantity(graph: TestGraph, positionId: string, quantity: string): Promise<void> {
  await graph.sql('trading', 'update positions set quantity = $2 where position_id = $1', [positionId, quantity]);
}
