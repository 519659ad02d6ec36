/** The table of operations says what is true: of the specification, of the schema, and of the tests. */
import { existsSync, readFileSync } from 'node:fs';
import { buildASTSchema, isInterfaceType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose.ts';
import type { Domain } from '../../platform/domains.ts';
import { readTypeDefs } from '../../platform/subgraph.ts';
import { subgraphs } from '../../subgraphs/all.ts';
import { EXPECTED } from './expected.ts';
import type { Operation } from './operation.ts';
import { PAGE, pageOf, readOperations } from './table.ts';

const table = await readOperations();
const rows = [...table].flatMap(([domain, operations]) =>
  operations.map((row): [string, Operation] => [`${domain} ${row.repository}.${row.operation}`, row]),
);
const { publicSchema: document } = composeSupergraph(
  subgraphs.map((definition) => ({ name: definition.name, sdl: readTypeDefs(definition) })),
);

const schema = buildASTSchema(document, { assumeValid: true });

const source = (path: string) => new URL(`../../${path}`, import.meta.url);

/** Names are written in camelCase or snake_case, as their source has them. */
const spelling = (name: string) => name.replaceAll('_', '').toLowerCase();

/** Whether a test of that title, as it is written in the source, is in the file. */
function holdsTest(text: string, title: string): boolean {
  const escaped = title.replaceAll("'", "\\'");
  const literals = [`'${escaped}'`, `"${title}"`, `\`${title}\``].map((literal) =>
    literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  );
  return new RegExp(`(?:\\b(?:it|test)|\\))\\(\\s*(?:${literals.join('|')})`).test(text);
}

describe('the table of operations', () => {
  it('has every operation that the specification lists, once', () => {
    const missing: string[] = [];
    for (const [domain, operations] of table) {
      for (const [repository, names] of Object.entries(EXPECTED[domain as Domain] ?? {})) {
        const own = operations.filter((row) => row.repository === repository).map((row) => spelling(row.operation));
        for (const name of names) {
          const count = own.filter((known) => known === spelling(name)).length;
          if (count !== 1) missing.push(`${domain} ${repository}.${name}: ${count} times`);
        }
      }
    }
    expect(missing).toEqual([]);
  });

  it('names fields that are in the schema', () => {
    const unknown = rows.flatMap(([name, { fields }]) =>
      fields.filter((field) => !isField(field)).map((field) => `${name}: ${field}`),
    );
    expect(unknown).toEqual([]);
  });

  it('names tests that are there', () => {
    const unknown = rows.filter(
      ([
        ,
        {
          test: [file, title],
        },
      ]) => {
        return !existsSync(source(file)) || !holdsTest(readFileSync(source(file), 'utf8'), title);
      },
    );
    expect(unknown.map(([name, row]) => `${name}: ${row.test.join(' › ')}`)).toEqual([]);
  });

  it('is what docs/operations.md lists: run npm run operations', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(pageOf(table));
  });

  it.each([
    ["it('does it', () => {})", true],
    ["it(\n  'does it',\n  () => {},\n)", true],
    ["it.each([1, 2])('does it', () => {})", true],
    ["describe('does it', () => {})", false],
    ["it('does it not', () => {})", false],
    ["// it does 'does it'", false],
  ])('finds a test in %j: %s', (text, isThere) => {
    expect(holdsTest(text, 'does it')).toBe(isThere);
  });
});

function isField(path: string): boolean {
  const [typeName = '', fieldName = '', ...rest] = path.split('.');
  const type = schema.getType(typeName);
  return rest.length === 0 && (isObjectType(type) || isInterfaceType(type)) && fieldName in type.getFields();
}
