import type { Database } from '../../../platform/database/database.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { round8 } from '../../../platform/decimal.ts';
import type { BacktestMetrics, Tally } from './rules/result.ts';

/**
 * Writes the end of a run, its trades and its curve, in one statement: all of it or nothing.
 * @param isHeld the condition that the run is still this process's
 * @returns whether it was
 */
export async function storeResult(
  db: Database,
  isHeld: Sql,
  runId: string,
  tally: Tally,
  metrics: BacktestMetrics,
): Promise<boolean> {
  const { trades } = tally;
  const points = tally.curve();
  const rows = await db.query(sql`
    with ended as (
      update backtest_runs
         set status = 'completed', claimed_by = null, claimed_until = null, finished_at = clock_timestamp(),
             bars_done = ${metrics.barCount}, bar_count = ${metrics.barCount},
             final_equity = ${round8(tally.finalEquity).toFixed()}::numeric, metrics = ${JSON.stringify(metrics)}::jsonb
       where ${isHeld} returning run_id
    ), traded as (
      insert into backtest_trades (run_id, number, instrument_id, side, quantity, price, commission, realized_pnl,
             decided_at, executed_at)
      select ${runId}, number, instrument_id, side, quantity, price, commission, realized_pnl, decided_at, executed_at
        from ended, unnest(
          ${trades.map(({ instrumentId }) => instrumentId)}::text[], ${trades.map(({ side }) => side)}::text[],
          ${trades.map(({ quantity }) => quantity.toFixed())}::numeric[],
          ${trades.map(({ price }) => price.toFixed())}::numeric[],
          ${trades.map(({ commission }) => commission.toFixed())}::numeric[],
          ${trades.map(({ realizedPnl }) => realizedPnl.toFixed())}::numeric[],
          ${trades.map(({ decidedAt }) => instant(decidedAt))}::timestamptz[],
          ${trades.map(({ executedAt }) => instant(executedAt))}::timestamptz[])
          with ordinality
          as t(instrument_id, side, quantity, price, commission, realized_pnl, decided_at, executed_at, number)
    ), drawn as (
      insert into backtest_points (run_id, number, at, equity)
      select ${runId}, number, at, equity
        from ended, unnest(${points.map(({ at }) => instant(at))}::timestamptz[],
                           ${points.map(({ equity }) => round8(equity).toFixed())}::numeric[])
          with ordinality as p(at, equity, number)
    )
    select run_id from ended`);
  return rows.length > 0;
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
