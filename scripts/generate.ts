/**
 * Writes what is derived and not committed: each domain's Prisma client (prisma/<domain>/generated) and resolver types
 * (subgraphs/<domain>/generated). A target whose sources have not changed since is left alone.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { generate } from '@graphql-codegen/cli';
import { codegenFor } from '../codegen.ts';
import { COMMON_CONTRACT, contractIn } from '../platform/contract.ts';
import { DOMAINS, type Domain } from '../platform/domains.ts';

const run = promisify(execFile);
const root = new URL('..', import.meta.url).pathname;
const at = (path: string) => new URL(`../${path}`, import.meta.url);

await Promise.all(DOMAINS.flatMap((domain) => [prismaClient(domain), resolverTypes(domain)]));

async function prismaClient(domain: Domain): Promise<void> {
  const source = `prisma/${domain}/schema.prisma`;
  await whenChanged(`prisma/${domain}/generated`, [at(source), at('package-lock.json')], async () => {
    await run(process.execPath, ['node_modules/prisma/build/index.js', 'generate', '--schema', source], {
      cwd: root,
      // No engine is needed to generate; any existing file stops the download of one.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    });
  });
}

async function resolverTypes(domain: Domain): Promise<void> {
  const folder = `subgraphs/${domain}`;
  const others = [`${folder}/mappers.ts`, 'codegen.ts', 'package-lock.json'];
  const sources = [...COMMON_CONTRACT, ...contractIn(at(`${folder}/`)), ...others.map(at)];
  await whenChanged(`${folder}/generated`, sources, async () => {
    await generate({ ...(await codegenFor(domain)), cwd: root, silent: true, errorsOnly: true }, true);
  });
}

/** Makes the folder anew when its sources differ from those it was made from. */
async function whenChanged(folder: string, sources: URL[], make: () => Promise<void>): Promise<void> {
  const contents = await Promise.all(sources.map((source) => readFile(source)));
  const wanted = contents.reduce((hash, content) => hash.update(content), createHash('sha256')).digest('hex');
  const stamp = `${root}${folder}/.made-from`;
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return;
  await make();
  await mkdir(`${root}${folder}`, { recursive: true });
  await writeFile(stamp, wanted);
}
