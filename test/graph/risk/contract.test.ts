/** A missing resolver is no type error: every field of every type is selected once. */
import { type GraphQLObjectType, type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';

let graph: TestGraph;
let schema: GraphQLSchema;
beforeAll(async () => {
  graph = await startGraph();
  schema = graph.subgraphs.get('risk')?.schema as GraphQLSchema;
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
  FeedStatus: 'riskFeed',
  DomainHealth: 'riskHealth',
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field', async (name, root) => {
    const fields = selection(schema.getType(name) as GraphQLObjectType, 3);
    const { data, errors } = await graph.run(`{ it: ${root} { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(data.it).not.toBeNull();
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('risk', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'risk', status: 'healthy' });
  });
});
