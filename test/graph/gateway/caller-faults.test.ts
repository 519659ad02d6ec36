import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';

let graph: ToyGraph;
let production: ToyGraph;
beforeAll(async () => {
  graph = await startToyGraph();
  production = await startToyGraph({ production: true });
});
afterAll(() => Promise.all([graph.close(), production.close()]));

describe('an operation that cannot be run says why', () => {
  it.each([
    {
      fault: 'no GraphQL',
      query: '{ instrument(',
      message: 'Syntax Error: Expected Name, found <EOF>.',
      code: 'GRAPHQL_PARSE_FAILED',
    },
    {
      fault: 'an unknown field',
      query: '{ instrument(symbol: "X") { prise } }',
      message: 'Cannot query field "prise" on type "Instrument".',
      code: 'GRAPHQL_VALIDATION_FAILED',
    },
    {
      fault: 'no operation at all',
      query: 'fragment A on Instrument { symbol }',
      message: 'Fragment "A" is never used.',
      code: 'GRAPHQL_VALIDATION_FAILED',
    },
    {
      fault: 'a variable that decides on a subscription',
      query: 'subscription($isOff: Boolean!) { prices(count: 1) @skip(if: $isOff) { __typename } }',
      code: 'GRAPHQL_VALIDATION_FAILED',
      message:
        'Argument "if" of required type "Boolean!" was provided the variable "$isOff" which was not provided a runtime value.',
    },
    {
      fault: 'several operations and no name',
      query: 'query A { __typename } query B { __typename }',
      message: 'The document has several operations, or none: name one in "operationName".',
      code: 'OPERATION_RESOLUTION_FAILURE',
    },
    {
      fault: 'a variable that is not given',
      query: 'query($symbol: ID!) { instrument(symbol: $symbol) { symbol } }',
      message: 'Variable "$symbol" of required type "ID!" was not provided.',
      code: 'BAD_USER_INPUT',
    },
  ])('$fault', async ({ query, message, code }) => {
    const { data, errors } = await graph.run(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]).toMatchObject({ message, extensions: { code } });
  });
});

describe('a value that a scalar refuses is refused before any subgraph is asked', () => {
  const place = (value: string) => `mutation { placeOrder(quantity: ${value}) { positionId } }`;
  const placeVariable = 'mutation($quantity: Decimal!) { placeOrder(quantity: $quantity) { positionId } }';

  it.each([
    { value: '0.1', message: 'Decimal must be written as text, "0.1", not as a bare 0.1.' },
    { value: '1', message: 'Decimal must be written as text, "1", not as a bare 1.' },
    { value: '"0.123456789"', message: 'Decimal takes at most 8 fractional digits, but got 9 in "0.123456789".' },
    { value: '"1e3"', message: 'Decimal must be digits with an optional point, for example "-12.5", but got "1e3".' },
  ])('$value in the document', async ({ value, message }) => {
    const { errors } = await graph.run(place(value));
    expect(errors).toEqual([{ message, locations: [{ line: 1, column: 33 }], extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each([
    { value: 0.1, message: 'Decimal must be text, for example "0.5", but got the number 0.1.' },
    { value: '0.123456789', message: 'Decimal takes at most 8 fractional digits, but got 9 in "0.123456789".' },
    { value: '1e3', message: 'Decimal must be digits with an optional point, for example "-12.5", but got "1e3".' },
  ])('$value as a variable', async ({ value, message }) => {
    const { errors } = await graph.run(placeVariable, { quantity: value });
    expect(errors?.[0]?.message).toContain(message);
    expect(errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });

  it('and asks none', async () => {
    for (const query of [place('0.1'), place('"1e3"')]) await graph.run(query);
    expect(graph.toys.trading.requests).toEqual([]);
  });
});

describe('names that come close to a mistyped one', () => {
  const mistyped = '{ portfoliq(accountId: "a") { accountId } }';

  it('are told while developing', async () => {
    const { errors } = await graph.run(mistyped);
    expect(errors?.[0]?.message).toBe('Cannot query field "portfoliq" on type "Query". Did you mean "portfolio"?');
  });

  it('are not told in production, of fields, values and inputs', async () => {
    const { errors } = await production.run(mistyped);
    expect(errors?.[0]?.message).toBe('Cannot query field "portfoliq" on type "Query".');
    const value = await production.run('query($kind: FaultKind!) { marketFault(kind: $kind) }', { kind: 'BUGG' });
    expect(value.errors?.[0]?.message).not.toContain('Did you mean');
    expect(value.errors?.[0]?.message).toContain('BUGG');
  });
});
