import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { type DocumentNode, type ExecutionResult, GraphQLError, getOperationAST, parse } from 'graphql';
import { callerFault, limitExceeded } from '../errors.ts';
import type { Limits } from '../limits.ts';

type DocumentLimits = Pick<Limits, 'characters' | 'tokens'>;

/**
 * Reads documents up to a length and a number of tokens, each once: what is known of a document (that it is valid, its
 * plan, its cost) is kept with it. The runtime's own cache keeps 1,024 documents of any size, which is more than a
 * gigabyte if somebody wants it so; this one keeps a number of characters.
 */
export function useDocuments(limits: DocumentLimits): GatewayPlugin {
  const read = documentReader(limits);
  let runtime: Yoga;
  return {
    onYogaInit({ yoga }) {
      runtime = yoga as unknown as Yoga;
    },
    onParams({ setParamsHandler }) {
      setParamsHandler((({ params, request, context }: Payload) =>
        process(read, runtime.getEnveloped(Object.assign(context, { params, request })), params)) as never);
    },
  };
}

/** The parts of the runtime that are used here, as it types them loosely. */
interface Yoga {
  getEnveloped(context: object): Enveloped;
}

interface Enveloped {
  schema: unknown;
  validate(schema: unknown, document: DocumentNode): readonly GraphQLError[];
  contextFactory(): Promise<object> | object;
  execute: Execute;
  subscribe: Execute;
}

type Execute = (args: object) => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

interface Parameters {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

interface Payload {
  params: Parameters;
  request: unknown;
  context: object;
}

async function process(
  read: (query: string) => DocumentNode,
  enveloped: Enveloped,
  { query, variables, operationName }: Parameters,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  try {
    const { schema, validate, contextFactory, execute, subscribe } = enveloped;
    const document = read(query);
    const errors = check(() => validate(schema, document));
    if (errors.length > 0) return { errors: errors.map(explain) };
    const isSubscription = getOperationAST(document, operationName)?.operation === 'subscription';
    const contextValue = await contextFactory();
    const run = isSubscription ? subscribe : execute;
    return await run({ schema, document, contextValue, variableValues: variables, operationName });
  } catch (error) {
    return { errors: [error as GraphQLError] };
  }
}

/** graphql-js throws at a variable in @skip or @include of a subscription's root, which no subscription may carry. */
function check(validate: () => readonly GraphQLError[]): readonly GraphQLError[] {
  try {
    return validate();
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return [callerFault(error.message, 'GRAPHQL_VALIDATION_FAILED')];
  }
}

/** graphql-js gives up on documents that repeat fields without end. */
function explain(error: GraphQLError): GraphQLError {
  if (error.message !== 'Validation aborted.') return error;
  return callerFault('The document repeats fields so often that it cannot be checked.', 'LIMIT_EXCEEDED');
}

/** Length of all documents that are remembered; one takes up to 200 bytes a character, with its plan. */
const REMEMBERED_CHARACTERS = 1_000_000;

function documentReader(limits: DocumentLimits): (query: string) => DocumentNode {
  const known = new Map<string, DocumentNode>();
  let characters = 0;

  return (query) => {
    const document = known.get(query) ?? parseWithin(limits, query);
    if (!known.delete(query)) characters += query.length;
    known.set(query, document); // last in the map is last used
    for (const oldest of known.keys()) {
      if (characters <= REMEMBERED_CHARACTERS) break;
      known.delete(oldest);
      characters -= oldest.length;
    }
    return document;
  };
}

/** The parser's own recursion has come to its end before it had counted the tokens. */
function tooNested(tokens: number): GraphQLError {
  const message = `The document nests brackets deeper than any of ${tokens} tokens, which is the limit, could.`;
  return limitExceeded(message, { name: 'tokens', max: tokens });
}

const TOO_MANY_TOKENS = /more th[a-z]+ \d+ tokens/;

function parseWithin({ characters, tokens }: DocumentLimits, query: string): DocumentNode {
  const { length } = query;
  if (length > characters) {
    const message = `The document is ${length} characters long; at most ${characters} are allowed. Pass values as variables.`;
    throw limitExceeded(message, { name: 'characters', max: characters, actual: length });
  }
  try {
    return parse(query, { maxTokens: tokens });
  } catch (error) {
    if (error instanceof RangeError) throw tooNested(tokens);
    if (!(error instanceof GraphQLError)) throw error;
    if (TOO_MANY_TOKENS.test(error.message)) {
      const message = `The document has more than ${tokens} tokens, which is the limit. Ask for less at once.`;
      throw limitExceeded(message, { name: 'tokens', max: tokens });
    }
    const { extensions } = callerFault(error.message, 'GRAPHQL_PARSE_FAILED');
    throw new GraphQLError(error.message, { source: error.source, positions: error.positions, extensions });
  }
}
