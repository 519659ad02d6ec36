import { buildSchema, type FragmentDefinitionNode, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileProjection } from '../../../gateway/planner/projection.ts';

const schema = buildSchema(`
  type Query { page: Page  pages: [Page!]  must: Page!  node: Node  any: Any  nodes: [Node] }
  type Page { title: String!  side: Side  inner: Page  list: [Page!]!  loose: [Page] }
  enum Side { BUY SELL }
  interface Node { id: ID! }
  type Book implements Node { id: ID!  title: String!  pages: Int }
  type Film implements Node { id: ID!  title: String  minutes: Int }
  union Any = Book | Film
`);

function project(query: string, data: Record<string, unknown>, variables: Record<string, unknown> = {}) {
  const { definitions } = parse(query);
  const fragments = definitions.filter((definition) => definition.kind === 'FragmentDefinition');
  const projection = compileProjection({
    schema,
    operation: definitions[0] as OperationDefinitionNode,
    fragments: Object.fromEntries(fragments.map((fragment: FragmentDefinitionNode) => [fragment.name.value, fragment])),
    variables,
  });
  const violations: string[] = [];
  return { data: projection(data, violations), violations };
}

describe('the shape of an answer', () => {
  it('holds what was asked, in that order, and nothing that the plan fetched for itself', () => {
    const { data } = project('{ page { t: title side } }', {
      page: { __typename: 'Page', side: 'BUY', t: 'A', inner: {} },
    });
    expect(JSON.stringify(data)).toBe('{"page":{"t":"A","side":"BUY"}}');
  });

  it('joins selections of one field', () => {
    const { data } = project('{ page { inner { title } ...F } } fragment F on Page { inner { side } title }', {
      page: { title: 'A', inner: { title: 'B', side: 'SELL' } },
    });
    expect(data).toEqual({ page: { inner: { title: 'B', side: 'SELL' }, title: 'A' } });
  });

  it('is null where nothing came', () => {
    expect(project('{ page { title } pages { title } }', {})).toEqual({
      data: { page: null, pages: null },
      violations: [],
    });
  });

  it('differs by type', () => {
    const query =
      '{ nodes { __typename id ... on Book { title pages } ... on Film { minutes } } any { ... on Node { id } } }';
    const nodes = [
      { __typename: 'Book', id: '1', title: 'A', pages: 3, minutes: 9 },
      { __typename: 'Film', id: '2', title: 'B', minutes: 90 },
      { __typename: 'Hidden', id: '3' },
    ];
    expect(project(query, { nodes, any: nodes[1] }).data).toEqual({
      nodes: [
        { __typename: 'Book', id: '1', title: 'A', pages: 3 },
        { __typename: 'Film', id: '2', minutes: 90 },
        null,
      ],
      any: { id: '2' },
    });
  });

  it('leaves out what @skip and @include leave out', () => {
    const query =
      'query($yes: Boolean!) { page { title @skip(if: $yes) side @include(if: $yes) ... @include(if: false) { inner { title } } } }';
    expect(project(query, { page: { title: 'A', side: 'BUY' } }, { yes: true }).data).toEqual({
      page: { side: 'BUY' },
    });
    expect(project(query, { page: { title: 'A', side: 'BUY' } }, { yes: false }).data).toEqual({
      page: { title: 'A' },
    });
  });

  it('shows no value that the enum does not have', () => {
    expect(project('{ page { title side } }', { page: { title: 'A', side: 'HOLD' } }).data).toEqual({
      page: { title: 'A', side: null },
    });
  });
});

describe('null where null may not be moves up to where it may', () => {
  it.each([
    { where: 'a field', query: '{ page { title } }', data: { page: { title: null } }, expected: { page: null } },
    {
      where: 'a field of an item of a strict list',
      query: '{ page { title list { title } } }',
      data: { page: { title: 'A', list: [{ title: 'B' }, {}] } },
      expected: { page: null },
    },
    {
      where: 'a field of an item of a loose list',
      query: '{ page { title loose { title } } }',
      data: { page: { title: 'A', loose: [{ title: 'B' }, {}] } },
      expected: { page: { title: 'A', loose: [{ title: 'B' }, null] } },
    },
    {
      where: 'an item',
      query: '{ pages { title } }',
      data: { pages: [{ title: 'A' }, null] },
      expected: { pages: null },
    },
    {
      where: 'a root field',
      query: '{ must { title } page { title } }',
      data: { page: { title: 'A' } },
      expected: null,
    },
  ])('from $where', ({ query, data, expected }) => {
    const result = project(query, data);
    expect(result.data).toEqual(expected);
    expect(result.violations.length).toBeGreaterThan(0);
  });

  it('and the first such place is named', () => {
    expect(project('{ page { inner { title } title } }', { page: { inner: {}, title: 'A' } }).violations[0]).toBe(
      'Page.title',
    );
  });
});
