/** Makes one graph out of the subgraphs' contracts, or says which of them breaks which rule. */
import { composeServices } from '@theguild/federation-composition';
import { type DocumentNode, GraphQLError, parse } from 'graphql';

export interface SubgraphContract {
  name: string;
  /** The federation SDL of the subgraph. */
  sdl: string;
  /** Where the subgraph answers, if it is a process of its own. */
  url?: string;
}

export interface Supergraph {
  /** What the query planner reads: every type with the subgraphs that answer it. */
  supergraphSdl: string;
  /** What clients see. */
  publicSchema: DocumentNode;
}

/** The composition that was made last: it takes half a second, and a process mostly has one graph. */
let last: { key: string; supergraph: Supergraph } | undefined;

/**
 * Composes the contracts.
 * @throws Error with one line a fault: the subgraph, the rule and what is wrong
 */
export function composeSupergraph(contracts: readonly SubgraphContract[]): Supergraph {
  const key = JSON.stringify(contracts.map(({ name, sdl, url }) => [name, sdl, url]));
  if (last?.key !== key) last = { key, supergraph: compose(contracts) };
  return last.supergraph;
}

function compose(contracts: readonly SubgraphContract[]): Supergraph {
  const result = composeServices(
    contracts.map(({ name, sdl, url }) => ({
      name,
      url: url ?? `local://${name}`,
      typeDefs: parseContract(name, sdl),
    })),
  );
  if (result.supergraphSdl === undefined) {
    const faults = (result.errors ?? []).map((error) => `  ${String(error.extensions?.code)}: ${error.message}`);
    throw new Error(`The subgraphs do not compose:\n${faults.join('\n')}`);
  }
  return { supergraphSdl: result.supergraphSdl, publicSchema: result.publicDocumentNode };
}

function parseContract(name: string, sdl: string): DocumentNode {
  try {
    return parse(sdl);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { line, column } = error.locations?.[0] ?? { line: 1, column: 1 };
    throw new Error(`The contract of ${name} cannot be read: ${error.message} (line ${line}, column ${column})`);
  }
}
