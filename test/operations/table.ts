/** All operations, by domain, and the page that lists them. */
import { existsSync } from 'node:fs';
import { DOMAINS, type Domain } from '../../platform/domains.ts';
import type { Operation } from './operation.ts';

/** The page, written by `npm run operations`. */
export const PAGE = new URL('../../docs/operations.md', import.meta.url);

/** The operations of each domain that has a file of them here. */
export async function readOperations(): Promise<Map<Domain, Operation[]>> {
  const read = new Map<Domain, Operation[]>();
  for (const domain of DOMAINS) {
    const file = new URL(`./${domain}.ts`, import.meta.url);
    if (!existsSync(file)) continue;
    const { operations } = (await import(file.href)) as { operations: Operation[] };
    read.set(domain, operations);
  }
  return read;
}

/** The page as Markdown. */
export function pageOf(domains: ReadonlyMap<Domain, readonly Operation[]>): string {
  const sections = [...domains].map(
    ([domain, operations]) =>
      `## ${domain}\n\n${countsOf(operations)}\n\n${HEADER}\n${operations.map(rowOf).join('\n')}\n`,
  );
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

const INTRODUCTION = `# Operations

Every operation of the repositories that the graph stands for: where it is in the schema, and the test that proves it. An
operation that is no field of its own is carried out by the fields named beside it; one that is refused by design has the
field that does the allowed thing instead.

This page is written by \`npm run operations\` from \`test/operations/\`; a test holds it to the schema and to the tests.
`;

const HEADER = '| Repository | Operation | In the schema | Proved by |\n| --- | --- | --- | --- |';

/** "Account 7, Order 8: 15 operations." */
function countsOf(operations: readonly Operation[]): string {
  const counts = [...Map.groupBy(operations, ({ repository }) => repository)].map(
    ([repository, { length }]) => `${repository} ${length}`,
  );
  return `${counts.join(', ')}: ${operations.length} operations.`;
}

function rowOf({ repository, operation, fields, test: [file, title] }: Operation): string {
  const where = fields.length === 0 ? 'a port inside the processes' : fields.map((field) => `\`${field}\``).join(', ');
  return `| ${repository} | ${operation} | ${where} | [${cell(title)}](../${file}) |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('[', '\\[').replaceAll(']', '\\]');
}
