import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { type DocumentNode, GraphQLError, type ParseOptions, parse, type Source } from 'graphql';
import { callerFault, GatewayCode, limitExceeded } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** Reads documents up to a length and a number of tokens: what is larger is not even parsed. */
export function useDocumentLimit(limits: Pick<Limits, 'characters' | 'tokens'>): GatewayPlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) => parseWithin(limits, source, options));
    },
  };
}

const TOO_MANY_TOKENS = /more th[a-z]+ \d+ tokens/;

function parseWithin(
  { characters, tokens }: Pick<Limits, 'characters' | 'tokens'>,
  source: string | Source,
  options?: ParseOptions,
): DocumentNode {
  const { length } = typeof source === 'string' ? source : source.body;
  if (length > characters) {
    const message = `The document is ${length} characters long; at most ${characters} are allowed. Pass values as variables.`;
    throw limitExceeded(message, { name: 'characters', max: characters, actual: length });
  }
  try {
    return parse(source, { ...options, maxTokens: tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (TOO_MANY_TOKENS.test(error.message)) {
      const message = `The document has more than ${tokens} tokens, which is the limit. Ask for less at once.`;
      throw limitExceeded(message, { name: 'tokens', max: tokens });
    }
    const { extensions } = callerFault(error.message, GatewayCode.GRAPHQL_PARSE_FAILED);
    throw new GraphQLError(error.message, { source: error.source, positions: error.positions, extensions });
  }
}
