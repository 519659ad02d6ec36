import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

export interface ComposablePart {
  name: string;
  /** The subgraph's contract with its federation directives. */
  sdl: string;
  /** Where it is reached; empty for one in this process. */
  url?: string | undefined;
}

/** The supergraph of the parts. Throws one error that lists every fault of composition. */
export function composeSupergraph(parts: readonly ComposablePart[]): string {
  const result = composeServices(
    parts.map(({ name, sdl, url }) => ({ name, typeDefs: parse(sdl), url: url ?? `local://${name}` })),
  );
  if (result.supergraphSdl) return result.supergraphSdl;
  const faults = (result.errors ?? []).map((error) => `  ${error.message}`);
  throw new Error(`The subgraphs do not compose into one graph:\n${faults.join('\n')}`);
}
