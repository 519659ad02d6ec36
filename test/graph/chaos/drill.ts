/** A graph that may be struck: injecting, renewing and clearing faults as a tester does. */
import { expect } from 'vitest';
import type { StruckDomain } from '../../../platform/chaos/kinds.ts';
import { camelCaseOf, pascalCaseOf } from '../../../platform/domains.ts';
import type { TestGraph } from '../../support/graph.ts';

const FAULT = 'faultId domain kind target parameters runId reason injectedBy injectedAt expiresAt clearedAt status';

/** Injects a fault that must be taken; gives it. */
export async function inject(graph: TestGraph, domain: StruckDomain, input: object) {
  const payload = await injectAny(graph, domain, input);
  expect(payload.errors).toEqual([]);
  return payload.fault;
}

/** The payload, whatever it is. */
export async function injectAny(graph: TestGraph, domain: StruckDomain, input: object) {
  const field = `inject${pascalCaseOf(domain)}Fault`;
  return send(graph, field, 'InjectFaultInput', input, `fault { ${FAULT} }`);
}

export const renew = (graph: TestGraph, domain: StruckDomain, input: object) =>
  send(graph, `renew${pascalCaseOf(domain)}Faults`, 'RenewFaultsInput', input, `faults { ${FAULT} }`);

export const clear = (graph: TestGraph, domain: StruckDomain, input: object) =>
  send(graph, `clear${pascalCaseOf(domain)}Faults`, 'ClearFaultsInput', input, `faults { ${FAULT} }`);

export async function faults(
  graph: TestGraph,
  domain: StruckDomain,
  args: { activeOnly?: boolean; runId?: string } = {},
) {
  const field = `${camelCaseOf(domain)}Faults`;
  const query = `query ($activeOnly: Boolean! = true, $runId: ID) {
    ${field}(activeOnly: $activeOnly, runId: $runId) { ${FAULT} } }`;
  const { data, errors } = await graph.run(query, args);
  expect(errors).toBeUndefined();
  return data[field];
}

async function send(graph: TestGraph, field: string, type: string, input: object, selection: string) {
  const { data, errors } = await graph.run(
    `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} errors { __typename code message path } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data[field];
}
