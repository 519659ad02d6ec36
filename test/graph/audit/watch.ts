/** An audit that follows the whole graph, and what tests ask of it. */

import type { Subgraph } from '../../../platform/subgraph.ts';
import type { AuditService } from '../../../subgraphs/audit/service.ts';
import { settings } from '../../../subgraphs/audit/settings.ts';
import type { TestGraph } from '../../support/graph.ts';

export { ACCOUNT, ask, done, fault, openDesk, refused, send, until } from '../risk/watch-desk.ts';

const before = { ...settings };

/** The settings with these for now. */
export function withSettings(changed: Partial<typeof settings>): void {
  Object.assign(settings, changed);
}

export function settingsAsBefore(): void {
  Object.assign(settings, before);
}

export function serviceOf(graph: TestGraph): AuditService {
  const audit = graph.subgraphs.get('audit') as Subgraph;
  return (audit.createContext({}) as { service: AuditService }).service;
}

/** Everything that has been committed until now is sealed, and what belongs together was looked for. */
export async function sealed(graph: TestGraph): Promise<void> {
  const service = serviceOf(graph);
  const now = new Date().toISOString();
  while (service.followed().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  if (!(await service.caughtUp(now, 30_000))) {
    throw new Error(`The audit is not where it should be: ${JSON.stringify(service.followed())}`);
  }
}
