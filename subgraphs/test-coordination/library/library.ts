/** The scenarios that ship, as templates; each is stored as a scenario too when the domain starts. */
import { sql } from '../../../platform/database/sql.ts';
import { inTransaction } from '../../../platform/database/transaction.ts';
import { refuse } from '../../../platform/errors.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { render, type Template } from '../rules/templates.ts';
import { partsOf } from '../scenarios/scenario-commands.ts';
import { custodianOffline } from './custodian-offline.ts';
import { marketCrash } from './market-crash.ts';
import { riskStress } from './risk-stress.ts';
import { serviceRestart } from './service-restart.ts';
import { settlementCascade } from './settlement-cascade.ts';
import { stablecoinDepeg } from './stablecoin-depeg.ts';
import { strategyRunaway } from './strategy-runaway.ts';
import { volatilitySpike } from './volatility-spike.ts';

export const templates: readonly Template[] = [
  custodianOffline,
  marketCrash,
  riskStress,
  serviceRestart,
  settlementCascade,
  stablecoinDepeg,
  strategyRunaway,
  volatilitySpike,
];

export function findTemplate(templateId: string): Template | null {
  return templates.find((template) => template.templateId === templateId) ?? null;
}

/** @throws Refusal (not found) */
export function templateOf(templateId: string, path: readonly string[]): Template {
  const template = findTemplate(templateId);
  if (!template) throw refuse.notFound('ScenarioTemplate', templateId, path);
  return template;
}

/** Stores the shipped scenarios that are not there, ACTIVE. What somebody has changed or archived stays so. */
export async function loadLibrary({ db, feed }: Pick<ServiceParts, 'db' | 'feed'>): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (const template of templates) {
      const { templateId, name, description, type, category } = template;
      const parts = partsOf(render(template));
      await tx.query(sql`
        insert into scenarios (scenario_id, name, description, scenario_type, category, status, configuration,
               services_under_test, expected_outcomes, tags, template_id, duration_ms, timeout_ms, created_by)
        values (${templateId}, ${name}, ${description}, ${type}, ${category}, 'active',
                ${JSON.stringify(parts.configuration)}::jsonb, ${[...parts.servicesUnderTest]}::text[],
                ${[...template.expectedOutcomes]}::text[], ${[...template.tags]}::text[], ${templateId},
                ${parts.durationMs}, ${parts.timeoutMs}, 'library')
        on conflict (scenario_id) do nothing`);
    }
  });
  feed.ring();
}
