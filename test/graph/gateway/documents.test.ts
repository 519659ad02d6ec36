/** What a reader is shown: every operation is one that the graph takes, and every link leads somewhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildASTSchema, type GraphQLSchema, getIntrospectionQuery, graphqlSync, parse, validate } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose.ts';
import { explorerTabs } from '../../../gateway/explorer-tabs.ts';
import { readTypeDefs } from '../../../platform/subgraph.ts';
import { subgraphs } from '../../../subgraphs/all.ts';

const DOCUMENTS = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))];
const read = (path: string) => readFileSync(path, 'utf8');

let schema: GraphQLSchema;
beforeAll(() => {
  const { publicSchema } = composeSupergraph(
    subgraphs.map((definition) => ({ name: definition.name, sdl: readTypeDefs(definition) })),
  );
  schema = buildASTSchema(publicSchema);
});

const problemsOf = (document: string) => validate(schema, parse(document)).map(({ message }) => message);

describe('the explorer', () => {
  it('is told the whole schema', () => {
    const source = getIntrospectionQuery({ inputValueDeprecation: true, directiveIsRepeatable: true });
    expect(graphqlSync({ schema, source }).errors).toBeUndefined();
  });

  it.each(explorerTabs.map(({ query }) => [query.split('\n')[0], query]))('has a valid tab: %s', (_, query) => {
    expect(problemsOf(query as string)).toEqual([]);
  });
});

describe.each(DOCUMENTS)('%s', (path) => {
  it('shows operations that the graph takes', () => {
    for (const [, document = ''] of read(path).matchAll(/^```graphql\n([\s\S]*?)^```/gm)) {
      expect(problemsOf(document), document).toEqual([]);
    }
  });

  it('has links that lead to a file and a heading of it', () => {
    for (const [link, target = '', heading] of read(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const text = read(target === '' ? path : join(dirname(path), target));
      if (heading !== undefined) expect(headingsOf(text), link).toContain(heading);
    }
  });
});

/** As the place that a link names: "Load recorded data" is load-recorded-data. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
