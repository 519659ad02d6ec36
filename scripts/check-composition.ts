/** `npm run schema`: the subgraphs' contracts compose into one graph, or the fault is named. */
import { composeSupergraph } from '../gateway/compose.ts';
import { readTypeDefs } from '../platform/subgraph.ts';
import { subgraphs } from '../subgraphs/all.ts';

const parts = subgraphs.map((definition) => ({ name: definition.name, sdl: readTypeDefs(definition) }));
try {
  composeSupergraph(parts);
  process.stdout.write(`${parts.length} subgraphs compose.\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
