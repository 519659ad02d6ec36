import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const files = globSync('{platform,subgraphs,gateway,prisma,clients}/**/*.ts', { exclude: ['**/generated/**'] });

/** Every relative import as [file, imported file]. */
const imports = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    (match) => [file, normalize(join(dirname(file), match[1] as string))] as const,
  ),
);

const crossing = (from: RegExp, to: (file: string, imported: string) => boolean) =>
  imports.filter(([file, imported]) => from.test(file) && to(file, imported)).map((pair) => pair.join(' → '));

describe('arrows point down only', () => {
  it('sees the imports', () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  it('platform imports neither subgraphs, gateway nor prisma', () => {
    expect(crossing(/^platform\//, (_, imported) => /^(subgraphs|gateway|prisma|clients)\//.test(imported))).toEqual(
      [],
    );
  });

  it('a subgraph never imports another, nor the gateway', () => {
    const domainOf = (path: string) => /^(?:subgraphs|prisma)\/([^/]+)\//.exec(path)?.[1];
    const foreign = (file: string, imported: string) =>
      /^(gateway|clients)\//.test(imported) ||
      (domainOf(imported) !== undefined && domainOf(imported) !== domainOf(file));
    expect(crossing(/^subgraphs\/[^/]+\//, foreign)).toEqual([]);
  });

  it('rules import nothing that does I/O', () => {
    const impure = (file: string, imported: string) =>
      !imported.includes('/rules/') &&
      !/^platform\/(chaos\/kinds|decimal|domains|enums|errors|instant|symbols|texts|trace|uuid)\.ts$/.test(imported) &&
      file.length > 0;
    expect(crossing(/^subgraphs\/(?:[^/]+\/)+rules\//, impure)).toEqual([]);
  });
});
