import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { limitExceeded } from '../errors.ts';

/** Arguments that say how long a list gets: of the field itself, or of the lists right below it. */
const SIZE_ARGUMENTS: ReadonlySet<string> = new Set(['first', 'last', 'depth', 'limit']);

/** What a list is taken for whose length no argument bounds, such as the balances of an account. */
const ASSUMED_LIST_SIZE = 10;

/** Refuses operations that may return more objects, page sizes within page sizes multiplied. */
export function useCostLimit(max: number): GatewayPlugin {
  const onExecute = ({ args }: { args: ExecutionArgs }) => {
    const actual = costOf(args);
    if (actual <= max) return;
    const message = `The operation may return ${actual} objects; at most ${max} are allowed. Ask for smaller pages ("first").`;
    throw limitExceeded(message, { name: 'cost', max, actual });
  };
  return { onExecute, onSubscribe: onExecute as never };
}

type Variables = Readonly<Record<string, unknown>>;

const fixedCosts = new WeakMap<OperationDefinitionNode, number>();

/** The number of objects that the operation may return; an operation whose variables do not matter is counted once. */
function costOf({ schema, document, operationName, variableValues }: ExecutionArgs): number {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!root) return 0;
  const fixed = fixedCosts.get(operation);
  if (fixed !== undefined) return fixed;
  const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
    defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)]] : [],
  );
  const counter = new Counter(schema, document, { ...Object.fromEntries(defaults), ...variableValues });
  const cost = counter.selection(operation.selectionSet, root, 1);
  if (!counter.usedVariables) fixedCosts.set(operation, cost);
  return cost;
}

class Counter {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Variables;
  /** Costs of fragments by the list size around them: fragments may spread each other many times. */
  readonly #known = new Map<string, number>();
  usedVariables = false;

  constructor(schema: GraphQLSchema, { definitions }: DocumentNode, variables: Variables) {
    const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    this.#schema = schema;
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
    this.#variables = variables;
  }

  /** @param size what the field around says of the lists right below it */
  selection({ selections }: SelectionSetNode, type: GraphQLCompositeType, size: number): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) cost += this.#field(selection, type, size);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) cost += this.#fragment(selection.name.value, size);
      else cost += this.selection(selection.selectionSet, this.#condition(selection.typeCondition, type), size);
    }
    return cost;
  }

  #field(node: FieldNode, parent: GraphQLCompositeType, size: number): number {
    const field = isUnionType(parent) ? undefined : parent.getFields()[node.name.value];
    if (!node.selectionSet || !field) return 0;
    const type = getNamedType(field.type) as GraphQLCompositeType; // validation has seen that it has fields
    const own = this.#sizeArgument(node, field);
    if (!isListType(getNullableType(field.type))) return 1 + this.selection(node.selectionSet, type, own ?? 0);
    const length = own ?? (size > 0 ? size : ASSUMED_LIST_SIZE);
    return length * (1 + this.selection(node.selectionSet, type, 0));
  }

  #fragment(name: string, size: number): number {
    const key = `${name} ${size}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const type = this.#schema.getType(fragment?.typeCondition.name.value ?? '');
    const cost = fragment && isCompositeType(type) ? this.selection(fragment.selectionSet, type, size) : 0;
    this.#known.set(key, cost);
    return cost;
  }

  #condition(condition: { name: { value: string } } | undefined, type: GraphQLCompositeType): GraphQLCompositeType {
    const named = condition && this.#schema.getType(condition.name.value);
    return isCompositeType(named) ? named : type;
  }

  #sizeArgument(node: FieldNode, field: GraphQLField<unknown, unknown>): number | undefined {
    const argument = field.args.find(({ name }) => SIZE_ARGUMENTS.has(name));
    if (!argument) return undefined;
    const value = node.arguments?.find(({ name }) => name.value === argument.name)?.value;
    if (value?.kind === Kind.INT) return Math.max(0, Number(value.value));
    if (value?.kind === Kind.VARIABLE) {
      this.usedVariables = true;
      const given = this.#variables[value.name.value];
      if (typeof given === 'number') return Math.max(0, given);
    }
    return typeof argument.defaultValue === 'number' ? argument.defaultValue : ASSUMED_LIST_SIZE;
  }
}
