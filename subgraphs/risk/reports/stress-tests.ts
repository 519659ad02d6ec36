/** What shocks would cost: calculated at the latest prices, and kept. */
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { dec, round8 } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { equals } from '../../../platform/filters.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { type Context, statementsOf } from '../context.ts';
import type { RunStressTestsInput } from '../generated/resolvers.ts';
import { accountReference, actor, assetCode } from '../references.ts';
import { worthOf } from '../rules/portfolio.ts';
import { STRESS_SCENARIOS, type StressScenario, stressed } from '../rules/stress.ts';

/** A row of `stress_test_results`. */
export interface StressTestRow {
  resultId: string;
  accountId: string;
  scenario: string;
  loss: string;
  lossRatio: string | null;
  equityBefore: string | null;
  equityAfter: string | null;
  isMarginCall: boolean;
  isLiquidated: boolean;
  isStale: boolean;
  requestedBy: string;
  calculatedAt: string;
}

export type StressTestPage = Connection<StressTestRow>;
export type StressTestPayload = CommandPayload<{ resultIds: string[] }>;

export const stressTestList = connectionSource<StressTestRow>({
  table: 'stress_test_results',
  id: 'result_id',
  sorts: { AT: 'calculated_at' },
});

/** The conditions of a list. Throws a validation Refusal on an account that is none. */
export function stressTestConditions(accountId: string | null | undefined, scenario: string | null | undefined): Sql[] {
  return [
    ...equals('account_id', accountId && accountReference(accountId, ['accountId'])),
    ...equals('scenario', scenario),
  ];
}

export function stressTestById(context: Context, resultId: string): Promise<StressTestRow | null> {
  return context.batch('stressTest', resultId, async (ids) => {
    const rows = await context.db.query<StressTestRow>(
      sql`select * from stress_test_results where result_id = any(${ids}::uuid[])`,
    );
    const byId = new Map(rows.map((row) => [row.resultId, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

const SCENARIOS_LIMIT = 20;
const ASSETS_LIMIT = 100;

/** Calculates the shocks for an account and stores what they would cost. */
export async function runStressTests(context: Context, input: RunStressTestsInput): Promise<StressTestPayload> {
  const seen = await beforehand('trading', async () => {
    const accountId = accountReference(input.accountId, ['input', 'accountId']);
    const by = actor(input.by);
    const scenarios = scenariosOf(input);
    const report = await context.service.portfolios.report(accountId);
    const holdings = report.holdings.map((holding) => ({ asset: holding.base, value: worthOf(holding) }));
    return scenarios.map((scenario) => {
      const { loss, lossRatio, equityAfter, isMarginCall, isLiquidated } = stressed(holdings, report.equity, scenario);
      return {
        account_id: accountId,
        scenario: scenario.name,
        loss: round8(loss).toFixed(),
        loss_ratio: lossRatio && round8(lossRatio).toFixed(),
        equity_before: report.equity && round8(report.equity).toFixed(),
        equity_after: equityAfter && round8(equityAfter).toFixed(),
        is_margin_call: isMarginCall,
        is_liquidated: isLiquidated,
        is_stale: report.isStale,
        requested_by: by,
        calculated_at: report.asOf,
      };
    });
  });
  return command(context, 'runStressTests', input, async (tx) => {
    const rows = await statementsOf(tx).query<{ resultId: string }>(sql`
      insert into stress_test_results (account_id, scenario, loss, loss_ratio, equity_before, equity_after, is_margin_call,
             is_liquidated, is_stale, requested_by, trace_id, calculated_at)
      select account_id, scenario, loss, loss_ratio, equity_before, equity_after, is_margin_call, is_liquidated, is_stale,
             requested_by, ${context.traceId}, calculated_at
        from jsonb_to_recordset(${JSON.stringify(seen())}::jsonb) as new (
             account_id text, scenario text, loss numeric, loss_ratio numeric, equity_before numeric, equity_after numeric,
             is_margin_call boolean, is_liquidated boolean, is_stale boolean, requested_by text, calculated_at timestamptz)
      returning result_id::text as "resultId"`);
    return { resultIds: rows.map(({ resultId }) => resultId) };
  });
}

function scenariosOf({ scenarios, customShocks }: RunStressTestsInput): StressScenario[] {
  const custom = customShocks && customShocks.length > 0 ? [customScenario(customShocks)] : [];
  if (!scenarios) return custom.length > 0 ? custom : [...STRESS_SCENARIOS];
  if (scenarios.length === 0 || scenarios.length > SCENARIOS_LIMIT) {
    const message = `scenarios takes 1 to ${SCENARIOS_LIMIT} names, but got ${scenarios.length}.`;
    throw refuse.validation(message, ['input', 'scenarios']);
  }
  const named = [...new Set(scenarios)].map((name) => {
    const known = STRESS_SCENARIOS.find((scenario) => scenario.name === name);
    if (known) return known;
    const names = STRESS_SCENARIOS.map((scenario) => scenario.name).join(', ');
    throw refuse.validation(`There is no scenario "${name}", only ${names}.`, ['input', 'scenarios']);
  });
  return [...named, ...custom];
}

function customScenario(given: readonly { asset: string; shock: string }[]): StressScenario {
  const path = ['input', 'customShocks'];
  if (given.length > ASSETS_LIMIT) {
    throw refuse.validation(`customShocks takes at most ${ASSETS_LIMIT} assets, but got ${given.length}.`, path);
  }
  const shocks = given.map(({ asset, shock }) => {
    if (dec(shock).lt(-1) || dec(shock).gt(10)) {
      throw refuse.validation(`shock must be from -1 to 10, but got ${shock}.`, path);
    }
    return [assetCode(asset, path), shock] as const;
  });
  return { name: 'custom', description: 'As given.', shocks: Object.fromEntries(shocks), otherShock: '0' };
}
