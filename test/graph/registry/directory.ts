/** What tests say to the registry and ask of it. */
import { expect } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its selection asked for
type Data = any;

/** Sends a command and gives its payload. */
export async function send(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const { data, errors } = await graph.run(
    `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors {
      code message path ... on Conflict { currentVersion } ... on NotFound { entity id } } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return data[name];
}

/** The same of a command that must be carried out. */
export async function done(graph: TestGraph, name: string, input: object, selection = ''): Promise<Data> {
  const payload = await send(graph, name, input, selection);
  expect(payload.errors).toEqual([]);
  return payload;
}

/** The first refusal of a command. */
export async function refused(graph: TestGraph, name: string, input: object): Promise<Data> {
  const [refusal] = (await send(graph, name, input)).errors;
  return refusal;
}

export async function ask(graph: TestGraph, query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const { data, errors } = await graph.run(query, variables);
  expect(errors).toBeUndefined();
  return data;
}

export const registration = (serviceId: string, more: object = {}) => ({
  serviceId,
  name: 'risk',
  version: '1.2.0',
  host: '10.0.0.1',
  httpPort: 4004,
  ...more,
});

export const SERVICE = `serviceId name version host httpPort grpcPort status isHealthy metadata lastSeen registeredAt`;
