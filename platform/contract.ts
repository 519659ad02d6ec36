/** The files of a subgraph's contract: every *.graphql of its folder and of the folders of its modules. */
import { readdirSync } from 'node:fs';

/** What every contract begins with: scalars, directives, and the types that domains share. */
export const COMMON_CONTRACT = graphqlFilesOf(new URL('./schema/', import.meta.url));

/** The contract of the subgraph in this folder, the folder's own files first. */
export function contractIn(folder: URL): URL[] {
  const modules = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => new URL(`${name}/`, folder))
    .sort((a, b) => a.href.localeCompare(b.href));
  return [folder, ...modules].flatMap(graphqlFilesOf);
}

function graphqlFilesOf(folder: URL): URL[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return names.sort().map((name) => new URL(name, folder));
}
