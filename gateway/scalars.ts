import { GraphQLError, type GraphQLScalarType, type GraphQLSchema, isScalarType } from 'graphql';
import { scalarResolvers } from '../platform/scalars.ts';

/**
 * Teaches the public schema what the graph's scalars accept, so that the gateway refuses what they refuse, in documents
 * and in variables alike, before any subgraph is asked.
 */
export function teachScalars(schema: GraphQLSchema): void {
  for (const [name, scalar] of Object.entries(scalarResolvers)) {
    const known = schema.getType(name);
    if (isScalarType(known)) {
      Object.assign(known, { parseValue: scalar.parseValue, parseLiteral: saysWhere(scalar.parseLiteral) });
    }
  }
}

type ParseLiteral = GraphQLScalarType['parseLiteral'];

/** A refusal of a scalar knows the value and not its place in the document. */
function saysWhere(parseLiteral: ParseLiteral): ParseLiteral {
  return (node, variables) => {
    try {
      return parseLiteral(node, variables);
    } catch (error) {
      if (!(error instanceof GraphQLError) || error.nodes) throw error;
      throw new GraphQLError(error.message, { nodes: node, extensions: error.extensions });
    }
  };
}
