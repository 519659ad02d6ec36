import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import fc from 'fast-check';
import {
  buildASTSchema,
  type ExecutionResult,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isRequiredArgument,
  parse,
  print,
  validate,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose.ts';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';
import { createToys } from './toy-subgraphs.ts';

let graph: ToyGraph;
let stitched: ToyGraph;
beforeAll(async () => {
  graph = await startToyGraph();
  stitched = await startToyGraph({ planner: 'stitching' });
});
afterAll(() => Promise.all([graph.close(), stitched.close()]));

/** The answers of the runtime's own way to run a plan, by which ours is measured. */
async function reference(): Promise<(query: string) => Promise<ExecutionResult>> {
  const { all } = createToys();
  const runtime = createGatewayRuntime({
    supergraph: composeSupergraph(all).supergraphSdl,
    logging: false,
    unifiedGraphHandler,
    transports: () => ({
      getSubgraphExecutor: ({ subgraphName }) => {
        const toy = all.find(({ name }) => name === subgraphName);
        return ((request: object) => toy?.execute({ ...request, headers: {} } as never)) as never;
      },
    }),
  });
  await runtime.getSchema();
  return async (query) => runtime.getResultForParams({ params: { query } } as never, { headers: {} } as never) as never;
}

const VALUES: Record<string, string> = { accountId: '"a"', symbol: '"X"', first: '3', depth: '2', after: 'null' };

/** Operations over the schema: fields, aliases, fragments and paths back and forth between subgraphs. */
function operations(schema: GraphQLSchema): fc.Arbitrary<string> {
  const selection = (type: GraphQLObjectType, depth: number): fc.Arbitrary<string> => {
    const fields = Object.values(type.getFields()).filter(
      (field) => depth > 0 || !isObjectType(getNamedType(field.type)),
    );
    const some = fc.subarray(fields, { minLength: Math.min(1, fields.length), maxLength: Math.min(4, fields.length) });
    return some.chain((chosen) =>
      fc.tuple(fc.boolean(), ...chosen.map((field) => selectField(field, depth))).map(([isFragment, ...parts]) => {
        const selected = ['__typename', ...parts].join(' ');
        return isFragment ? `{ ... on ${type.name} { ${selected} } }` : `{ ${selected} }`;
      }),
    );
  };
  const selectField = (field: GraphQLField<unknown, unknown>, depth: number): fc.Arbitrary<string> => {
    const given = field.args.filter((argument) => isRequiredArgument(argument) || argument.name === 'first');
    const args = given.map(({ name }) => `${name}: ${VALUES[name]}`).join(', ');
    const type = getNamedType(field.type);
    const below = isObjectType(type) ? selection(type, depth - 1) : fc.constant('');
    const call = `${field.name}${args && `(${args})`}`;
    return fc.tuple(fc.boolean(), below).map(([alias, rest]) => `${alias ? `${field.name}_ : ` : ''}${call} ${rest}`);
  };
  const query = schema.getQueryType() as GraphQLObjectType;
  const roots = Object.values(query.getFields()).filter(({ name }) => name !== 'marketFault');
  return fc
    .subarray(roots, { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.tuple(...chosen.map((field) => selectField(field, 5))))
    .map((parts) => `{ ${parts.join(' ')} }`);
}

describe('plans', () => {
  it("answer as the runtime's own executor does, whatever is asked", async () => {
    const schema = buildASTSchema(composeSupergraph(createToys().all).publicSchema, { assumeValidSDL: true });
    const expected = await reference();
    let planned = 0;
    await fc.assert(
      fc.asyncProperty(operations(schema), async (query) => {
        if (validate(schema, parse(query)).length > 0) return;
        const { data, errors } = await graph.run(query);
        if (errors?.some(({ extensions }) => extensions.code === 'LIMIT_EXCEEDED')) return;
        planned++;
        const wanted = JSON.parse(JSON.stringify(await expected(query)));
        expect({ data, errors }).toEqual({ data: wanted.data, errors: wanted.errors });
      }),
      { numRuns: 300, seed: 20260101 },
    );
    expect(planned).toBeGreaterThan(200);
  });

  it('keep the order in which the client asked', async () => {
    const { data } = await graph.run(
      '{ portfolio(accountId: "a") { balances { locked asset { code } } accountId account { type } } }',
    );
    expect(Object.keys(data.portfolio)).toEqual(['balances', 'accountId', 'account']);
    expect(Object.keys(data.portfolio.balances[0])).toEqual(['locked', 'asset']);
  });

  it('are run with the values of the request, not of the one they were made for', async () => {
    const query =
      'query($symbol: ID!, $with: Boolean!) { instrument(symbol: $symbol) { symbol ticker @include(if: $with) { bid } } }';
    expect((await graph.run(query, { symbol: 'A', with: true })).data).toEqual({
      instrument: { symbol: 'A', ticker: { bid: '48400' } },
    });
    expect((await graph.run(query, { symbol: 'B', with: false })).data).toEqual({ instrument: { symbol: 'B' } });
  });

  it('do not mix up operations of one document', async () => {
    const document =
      'query A { a: instrument(symbol: "A") { symbol } } query B { b: instrument(symbol: "B") { symbol } }';
    const ask = async (operationName: string) => (await graph.gateway.execute(document, {}, { operationName })).data;
    expect(await ask('A')).toEqual({ a: { symbol: 'A' } });
    expect(await ask('B')).toEqual({ b: { symbol: 'B' } });
  });

  it('say where in a list an entity failed, at every place that has it', async () => {
    graph.toys.marketData.fault = async ({ document }) => {
      const key = /(\w+): _entities/.exec(print(document))?.[1] ?? '_entities';
      const error = new GraphQLError('No quote.', { path: [key, 0, 'ticker'], extensions: { code: 'BAD_USER_INPUT' } });
      return { data: { [key]: [{ ticker: null }, { ticker: { bid: '1' } }] }, errors: [error] };
    };
    const { data, errors } = await graph.run(
      '{ strategies { positions(first: 2) { nodes { instrument { ticker { bid } } } edges { node { instrument { ticker { bid } } } } } } }',
    );
    graph.toys.marketData.fault = undefined;
    expect(data.strategies[0].positions.nodes.map((node: { instrument: object }) => node.instrument)).toEqual([
      { ticker: null },
      { ticker: { bid: '1' } },
    ]);
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual([
      'strategies.0.positions.edges.0.node.instrument.ticker',
      'strategies.0.positions.nodes.0.instrument.ticker',
    ]);
  });
});

describe('where the native planner is not to be had', () => {
  it('the stitching planner gives the same answers', async () => {
    const query = `{ portfolio(accountId: "a") {
      totalMarketValue account { type } balances { asset { code } }
      positions(first: 3) { nodes { quantity instrument { symbol ticker { bid } } } } } }`;
    expect((await stitched.run(query)).data).toEqual((await graph.run(query)).data);
  });

  it('a domain that is away still blanks its fields only', async () => {
    stitched.toys.marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    const { data, errors } = await stitched.run(
      '{ portfolio(accountId: "a") { totalMarketValue positions(first: 1) { nodes { instrument { ticker { bid } } } } } }',
    );
    expect(data.portfolio).toMatchObject({
      totalMarketValue: '605006.25',
      positions: { nodes: [{ instrument: { ticker: null } }] },
    });
    expect(errors).toMatchObject([{ extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' } }]);
    stitched.toys.marketData.fault = undefined;
  });

  it('limits, scalars and masking hold', async () => {
    const faults = [
      `{ ${'a: __typename '.repeat(61)} }`,
      'mutation { placeOrder(quantity: 1.5) { positionId } }',
      '{ marketFault(kind: BUG) }',
    ];
    const codes = await Promise.all(
      faults.map(async (query) => (await stitched.run(query)).errors?.[0]?.extensions.code),
    );
    expect(codes).toEqual(['LIMIT_EXCEEDED', 'BAD_USER_INPUT', 'INTERNAL_SERVER_ERROR']);
  });
});
