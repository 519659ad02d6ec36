import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../../gateway/compose.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

describe('composition', () => {
  it('names the subgraph and the rule it breaks', () => {
    const broken = { name: 'trading', sdl: `${LINK} type T @key(fields: "idd") { id: ID! } type Query { t: T }` };
    expect(() => composeSupergraph([broken])).toThrow(
      /KEY_INVALID_FIELDS: \[trading\] On type "T", for @key\(fields: "idd"\)/,
    );
  });

  it('names both sides of a disagreement', () => {
    const one = { name: 'one', sdl: `${LINK} type T @key(fields: "id") { id: ID! } type Query { t: T }` };
    const two = { name: 'two', sdl: `${LINK} type T @key(fields: "id") { id: String! } type Query { u: T }` };
    expect(() => composeSupergraph([one, two])).toThrow(
      /"T\.id" is incompatible.*"ID!" in subgraph "one".*"String!" in subgraph "two"/,
    );
  });

  it('says where a contract cannot be read', () => {
    expect(() => composeSupergraph([{ name: 'trading', sdl: 'type Query {' }])).toThrow(
      'The contract of trading cannot be read: Syntax Error: Expected Name, found <EOF>. (line 1, column 13)',
    );
  });
});
