/** The subscriptions of the real contracts, over subgraphs that tell one change each. */
import { buildASTSchema, type ExecutionResult, getNamedType, isObjectType, Kind } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose.ts';
import { createGateway, type Gateway } from '../../../gateway/gateway.ts';
import type { LocalRequest } from '../../../gateway/transport/local.ts';
import { createLogger } from '../../../platform/log.ts';
import { readTypeDefs } from '../../../platform/subgraph.ts';
import { subgraphs } from '../../../subgraphs/all.ts';

const contracts = subgraphs.map((definition) => ({ name: definition.name, sdl: readTypeDefs(definition) }));
const schema = buildASTSchema(composeSupergraph(contracts).publicSchema);
// Everything of a domain is told to each reader in its own time.
const fields = Object.values(schema.getSubscriptionType()?.getFields() ?? {}).filter(
  ({ type }) => getNamedType(type).name !== 'DomainEventBatch',
);

/** Of arguments that take no symbol. */
const VALUES: Record<string, string> = { after: 'a1.6', interval: 'M1' };

let gateway: Gateway;
const requests: LocalRequest[] = [];
beforeAll(async () => {
  const execute = async (request: LocalRequest) => {
    requests.push(request);
    return tell(request);
  };
  const log = createLogger({ level: 'silent', service: 'test' });
  gateway = await createGateway({ subgraphs: contracts.map((contract) => ({ ...contract, execute })), log });
});
afterAll(() => gateway.close());

/** One change, then silence. */
function tell({ document }: LocalRequest): AsyncIterable<ExecutionResult> {
  const [operation] = document.definitions;
  const root = operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet.selections[0] : undefined;
  if (root?.kind !== Kind.FIELD) throw new Error('A subscription has one field');
  const values: Record<string, string> = { kind: 'PROGRESS', cursor: 'a1.7' };
  const change = Object.fromEntries(
    (root.selectionSet?.selections ?? []).flatMap((selection) =>
      selection.kind === Kind.FIELD
        ? [[selection.alias?.value ?? selection.name.value, values[selection.name.value]]]
        : [],
    ),
  );
  let isTold = false;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (isTold) await new Promise(() => undefined);
        isTold = true;
        return { done: false, value: { data: { [root.alias?.value ?? root.name.value]: change } } };
      },
      return: async () => ({ done: true, value: undefined }),
    }),
  };
}

describe('a subscription of the graph', () => {
  it.each(fields.map(({ name }) => name))('is shared and resumed: %s', async (name) => {
    const field = fields.find((one) => one.name === name);
    const args = (field?.args ?? []).filter(
      (argument) => argument.name === 'after' || String(argument.type).endsWith('!'),
    );
    const type = field && getNamedType(field.type);
    const item =
      isObjectType(type) && Object.values(type.getFields()).find(({ type }) => isObjectType(getNamedType(type)));
    expect(item).toBeDefined();
    const document = `subscription Live(${args.map((arg) => `$${arg.name}: ${arg.type}`).join(' ')}) {
      ${name}(${args.map((arg) => `${arg.name}: $${arg.name}`).join(' ')}) { kind ${item ? `${item.name} { __typename }` : ''} }
    }`;
    const variables = Object.fromEntries(args.map((arg) => [arg.name, VALUES[arg.name] ?? 'BTC-USD']));
    const stream = gateway.subscribe(document, variables);
    const { value } = await stream.next();
    expect(value).toEqual({ data: { [name]: { kind: 'PROGRESS', [item ? item.name : '']: null } } });
    expect(gateway.live()).toMatchObject({ members: 1, groups: 1, upstreams: 1 });
    expect(requests.at(-1)?.variables).toMatchObject({ _liveAfter: 'a1.6' });
    const twin = gateway.subscribe(document, { ...variables, after: 'a1.7' });
    void twin.next();
    await expect.poll(() => gateway.live()).toMatchObject({ members: 2, groups: 1, upstreams: 1 });
    await Promise.all([stream.return?.(), twin.return?.()]);
  });
});
