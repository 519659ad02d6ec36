/** A missing resolver is no type error: every field of every type is selected once. */
import { type GraphQLObjectType, type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG_TYPES } from '../../../subgraphs/registry/rules/config-value.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { done, registration } from './directory.ts';

let graph: TestGraph;
let schema: GraphQLSchema;
beforeAll(async () => {
  graph = await startGraph();
  schema = graph.subgraphs.get('registry')?.schema as GraphQLSchema;
  await done(graph, 'registerService', registration('risk-1', { grpcPort: 50_051, metadata: { zone: 'a' } }));
  await done(graph, 'setConfig', { key: 'a', type: 'INTEGER', value: '1', service: 'risk', description: 'One' });
});
afterAll(() => graph.close());

/** The leaves of a type, and of what lies `depth` fields below it. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).map((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return field.name;
    if (depth === 0 || !isObjectType(inner)) return '';
    return `${field.name} { __typename ${selection(inner, depth - 1)} }`;
  });
  return fields.join(' ');
}

const ROOTS: Record<string, string> = {
  FeedStatus: 'registryFeed',
  DomainHealth: 'registryHealth',
  GraphHealth: 'health',
  ServiceInstance: 'service(name: "risk")',
  ConfigEntry: 'config(key: "a", service: "risk")',
  ConfigEntryConnection: 'configs',
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field', async (name, root) => {
    const fields = selection(schema.getType(name) as GraphQLObjectType, 3);
    const { data, errors } = await graph.run(`{ it: ${root} { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(data.it).not.toBeNull();
  });

  it('has a mutation for every payload, each answering `errors` and taking an idempotency key', () => {
    const all = Object.values(schema.getMutationType()?.getFields() ?? {});
    const mutations = all.filter(({ name }) => !name.startsWith('invalidate')); // every subgraph's alike
    expect(mutations).toHaveLength(7);
    for (const { name, type, args } of mutations) {
      const payload = getNamedType(type);
      expect(payload.name.toLowerCase()).toBe(`${name}payload`.toLowerCase());
      expect(isObjectType(payload) && Object.keys(payload.getFields())).toContain('errors');
      const input = getNamedType(args[0]?.type);
      expect(input && 'getFields' in input && Object.keys(input.getFields())).toContain('idempotencyKey');
    }
  });

  it('names the types of configuration as the rules do', () => {
    const type = schema.getType('ConfigType');
    expect(type && 'getValues' in type && type.getValues().map(({ name }) => name)).toEqual(CONFIG_TYPES);
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('registry', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'registry', status: 'healthy', config_entries: 1 });
  });
});
