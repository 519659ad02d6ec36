/** Scenarios: what is stored of them and how they are read. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, isOneOf } from '../../../platform/filters.ts';
import { derived, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { ScenarioFilter } from '../generated/resolvers.ts';
import type { ScenarioStatus } from '../rules/lifecycles.ts';
import { passRate } from '../rules/statistics.ts';
import type { Template } from '../rules/templates.ts';

/** A row of `scenarios`. */
export interface ScenarioRow {
  scenarioId: string;
  name: string;
  description: string | null;
  scenarioType: Template['type'];
  category: Template['category'];
  status: ScenarioStatus;
  configuration: object;
  servicesUnderTest: string[];
  expectedOutcomes: string[];
  tags: string[];
  dependsOn: string[];
  templateId: string | null;
  schedule: string | null;
  nextRunAt: string | null;
  durationMs: string;
  timeoutMs: string;
  createdBy: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ScenarioPage = Connection<ScenarioRow>;

export const scenarios = entity<ScenarioRow>({
  name: 'Scenario',
  table: 'scenarios',
  key: 'scenario_id',
  keyType: 'text',
});

export const scenarioList = connectionSource<ScenarioRow>({
  table: 'scenarios',
  id: 'scenario_id',
  sorts: { CREATED_AT: 'created_at' },
});

export function scenarioConditions(filter: ScenarioFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { type, category, statuses, tag, service } = filter;
  return [
    ...equals('scenario_type', type && stored(type)),
    ...equals('category', category && stored(category)),
    ...isOneOf('status', statuses?.map(stored)),
    ...(tag ? [sql`tags @> array[${tag}]::text[]`] : []),
    ...(service ? [sql`services_under_test @> array[${service}]::text[]`] : []),
  ];
}

/** How a scenario's runs have done. */
export interface RunFigures {
  passRate: string | null;
  averageDurationMs: string | null;
}

const figures = derived<RunFigures>({
  name: 'figures of runs',
  table: 'test_runs',
  column: 'scenario_id',
  keyType: 'text',
  absent: { passRate: null, averageDurationMs: null },
});

/** Dry runs prove nothing and do not count. */
export function figuresOf(context: Context, scenarioId: string): Promise<RunFigures> {
  return context.derive(figures, scenarioId, async (ids) => {
    const rows = await context.db.query<{
      scenarioId: string;
      passed: number;
      over: number;
      average: string | null;
    }>(sql`
      select scenario_id, count(*) filter (where status = 'passed')::int as passed,
             count(*) filter (where completed_at is not null)::int as over, round(avg(duration_ms), 2) as average
        from test_runs where scenario_id = any(${ids}::text[]) and not dry_run group by scenario_id`);
    const byId = new Map(rows.map((row) => [row.scenarioId, row]));
    return ids.map((id) => {
      const row = byId.get(id);
      return {
        passRate: passRate(row?.passed ?? 0, row?.over ?? 0)?.toFixed() ?? null,
        averageDurationMs: row?.average ?? null,
      };
    });
  });
}

/** Scenarios of a strategy at most. */
const SHOWN = 100;

/** The scenarios that touch strategies: whose runs traded by them. */
export function scenariosOfStrategy(context: Context, strategyId: string): Promise<ScenarioRow[]> {
  return context.batch('scenariosOfStrategy', strategyId, async (ids) => {
    const rows = await context.db.query<ScenarioRow & { wantedBy: string }>(sql`
      select wanted.id as wanted_by, scenarios.*
        from unnest(${ids}::text[]) as wanted (id)
       cross join lateral (
         select * from scenarios
          where scenario_id in (select scenario_id from test_runs where run_id = substr(wanted.id, 6))
            and wanted.id like 'test-%'
          order by created_at, scenario_id limit ${SHOWN}) as scenarios`);
    const byStrategy = Map.groupBy(rows, ({ wantedBy }) => wantedBy);
    return ids.map((id) => byStrategy.get(id) ?? []);
  });
}
