import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../gateway/limits.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

let graph: ToyGraph;
beforeAll(async () => {
  graph = await startToyGraph();
});
afterAll(() => graph.close());

/** Positions of an instrument of a position of an instrument …: as deep as one likes. */
function nested(levels: number): string {
  let query = 'symbol';
  for (let level = 0; level < levels; level += 3) query = `positions(first: 1) { nodes { instrument { ${query} } } }`;
  return `{ instrument(symbol: "X") { ${query} } }`;
}

describe('an operation that is too large is refused by name, with the limit and what was asked', () => {
  it.each([
    {
      what: 'depth',
      query: nested(48),
      message: 'The operation nests fields 50 levels deep; at most 16 are allowed. Ask for parts of it separately.',
      limit: { name: 'depth', max: 16, actual: 50 },
    },
    {
      what: 'depth, through fragments',
      query: `{ instrument(symbol: "X") { ...A } }
        fragment A on Instrument { positions { nodes { instrument { ...B } } } }
        fragment B on Instrument { positions { nodes { instrument { ...C } } } }
        fragment C on Instrument { positions { nodes { instrument { ...D } } } }
        fragment D on Instrument { positions { nodes { instrument { ...E } } } }
        fragment E on Instrument { positions { nodes { instrument { ...F } } } }
        fragment F on Instrument { symbol }`,
      message: 'The operation nests fields 17 levels deep; at most 16 are allowed. Ask for parts of it separately.',
      limit: { name: 'depth', max: 16, actual: 17 },
    },
    {
      what: 'aliases',
      query: `{ ${Array.from({ length: 100 }, (_, index) => `a${index}: instrument(symbol: "X") { symbol }`).join(' ')} }`,
      message: 'The document has 100 aliases; at most 60 are allowed. Send several requests, or ask for a list.',
      limit: { name: 'aliases', max: 60, actual: 100 },
    },
    {
      what: 'directives',
      query: `{ instrument(symbol: "X") { symbol ${'@include(if: true) '.repeat(70)} } }`,
      message: 'The document has 70 directives; at most 60 are allowed.',
      limit: { name: 'directives', max: 60, actual: 70 },
    },
    {
      what: 'tokens',
      query: `{ ${'__typename '.repeat(3_000)} }`,
      message: 'The document has more than 2000 tokens, which is the limit. Ask for less at once.',
      limit: { name: 'tokens', max: 2000 },
    },
    {
      what: 'characters',
      query: `{ instrument(symbol: "${'X'.repeat(200_000)}") { symbol } }`,
      message: 'The document is 200037 characters long; at most 40000 are allowed. Pass values as variables.',
      limit: { name: 'characters', max: 40_000, actual: 200_037 },
    },
    {
      what: 'selections, through fragments',
      query: `{ instrument(symbol: "X") { ...F0 } }
        ${Array.from({ length: 12 }, (_, index) => `fragment F${index} on Instrument { ...F${index + 1} ...F${index + 1} }`).join(' ')}
        fragment F12 on Instrument { symbol }`,
      message: 'The operation selects 12288 fields once its fragments are written out; at most 5000 are allowed.',
      limit: { name: 'selections', max: 5_000, actual: 12_288 },
    },
    {
      what: 'cost, pages within pages',
      query: '{ instruments(first: 500) { positions(first: 500) { nodes { positionId } } } }',
      message: 'The operation may return 251000 objects; at most 150000 are allowed. Ask for smaller pages ("first").',
      limit: { name: 'cost', max: 150_000, actual: 251_000 },
    },
  ])('$what', async ({ query, message, limit }) => {
    const { data, errors } = await graph.run(query);
    expect(data).toBeUndefined();
    expect(errors?.map((error) => error.message)).toContain(message);
    expect(errors?.find((error) => error.message === message)?.extensions).toEqual({ code: 'LIMIT_EXCEEDED', limit });
    expect(graph.toys.all.flatMap(({ requests }) => requests)).toEqual([]);
  });

  it('counts page sizes that come as variables, each time anew', async () => {
    const query = `query($first: Int = 500) { instruments(first: $first) { positions(first: 400) { nodes { positionId } } } }`;
    const costs = async (variables: object) =>
      (await graph.run(query, { ...variables })).errors?.[0]?.extensions.limit.actual;
    expect(await costs({ first: 400 })).toBe(400 * (1 + 1 + 400));
    expect(await costs({})).toBe(500 * (1 + 1 + 400));
    expect(await costs({ first: 5 })).toBeUndefined();
  });

  it('is quick to refuse fragments that double each other', async () => {
    const doubling = Array.from(
      { length: 60 },
      (_, index) =>
        `fragment F${index} on Instrument { ...F${index + 1} positions(first: 1) { nodes { instrument { ...F${index + 1} } } } }`,
    );
    const { errors } = await graph.run(
      `{ instrument(symbol: "X") { ...F0 } } ${doubling.join(' ')} fragment F60 on Instrument { symbol }`,
    );
    expect(errors?.[0]?.extensions.code).toBe('LIMIT_EXCEEDED');
  });

  it('says so when fields are repeated without end', async () => {
    const { errors } = await graph.run(`{ instrument(symbol: "X") { ${'symbol '.repeat(1_900)} } }`);
    expect(errors).toEqual([
      {
        message: 'The document repeats fields so often that it cannot be checked.',
        extensions: { code: 'LIMIT_EXCEEDED' },
      },
    ]);
  });

  it('is quick to refuse fragments of the root that double each other', async () => {
    const doubling = Array.from(
      { length: 29 },
      (_, index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`,
    );
    const { errors } = await graph.run(`{ ...F0 } ${doubling.join(' ')} fragment F29 on Query { __typename }`);
    expect(errors).toMatchObject([
      { extensions: { code: 'LIMIT_EXCEEDED', limit: { name: 'selections', max: 5_000 } } },
    ]);
  });

  it('refuses brackets that nest deeper than the parser can follow', async () => {
    const { errors } = await graph.run(`{ instrument(symbol: ${'['.repeat(19_000)}) { symbol } }`);
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: { name: 'tokens' } } }]);
  });

  it('survives a fragment within itself', async () => {
    const { errors } = await graph.run('{ instrument(symbol: "X") { ...A } } fragment A on Instrument { symbol ...A }');
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  });
});

describe('what tools and dashboards ask fits', () => {
  it.each([
    { tool: 'GraphiQL', query: getIntrospectionQuery() },
    {
      tool: 'code generators',
      query: getIntrospectionQuery({
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
        oneOf: true,
      }),
    },
  ])('introspection of $tool', async ({ query }) => {
    const { data, errors } = await graph.run(query);
    expect(errors).toBeUndefined();
    expect(data.__schema.types.map((type: { name: string }) => type.name)).toContain('TradingPosition');
  });

  it('introspection beside data', async () => {
    const { data, errors } = await graph.run(
      '{ __schema { queryType { name } } instrument(symbol: "X") { symbol ticker { bid } } again: __type(name: "Ticker") { kind } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      __schema: { queryType: { name: 'Query' } },
      instrument: { symbol: 'X', ticker: { bid: '48400' } },
      again: { kind: 'OBJECT' },
    });
  });

  it('but not the circular kind, which grows with every level', async () => {
    const { errors } = await graph.run(
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  });

  it('a page of 500 positions with what belongs to them', async () => {
    const { errors } = await graph.run(
      `{ portfolio(accountId: "a") { positions(first: 500) { nodes { quantity instrument { ticker { bid } orderBook(depth: 10) { bids { price } } } } } } }`,
    );
    expect(errors).toBeUndefined();
  });

  it('limits can be set', async () => {
    const strict = await startToyGraph({ limits: { depth: 1 } });
    const { errors } = await strict.run('{ instrument(symbol: "X") { symbol } }');
    expect(errors?.[0]?.extensions.limit).toEqual({ name: 'depth', max: 1, actual: 2 });
    expect(LIMITS.depth).toBe(16);
    await strict.close();
  });
});
