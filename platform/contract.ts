/** The files of a subgraph's contract: its schema.graphql, and one for each module, which has a folder of its own. */
import { existsSync, readdirSync } from 'node:fs';

const FILE = 'schema.graphql';

/** The contract of the subgraph in this folder, the folder's own file first. */
export function contractIn(folder: URL): URL[] {
  const modules = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => new URL(`${name}/${FILE}`, folder))
    .filter((file) => existsSync(file))
    .sort((a, b) => a.href.localeCompare(b.href));
  return [new URL(FILE, folder), ...modules];
}
