/** How large an operation may be. Whatever people ask of dashboards fits many times over; what attacks ask does not. */
export interface Limits {
  /** Fields within fields. The deepest of the explorer's queries has 9; introspection has a limit of its own. */
  depth: number;
  /** Aliases in a document: one operation does not ask the same thing a thousand times. */
  aliases: number;
  /** Directives in a document. */
  directives: number;
  /** Length of a document. Values belong into variables. */
  characters: number;
  /** Lexical tokens of a document: bounds the work of validation. An introspection query has about 250. */
  tokens: number;
  /** Fields and spreads of an operation once its fragments are written out. An introspection query has about 400. */
  selections: number;
  /** Objects that an operation may return at most, page sizes multiplied: 500 positions with 3 objects each take 1,500. */
  cost: number;
}

export const LIMITS: Limits = {
  depth: 16,
  aliases: 60,
  directives: 60,
  characters: 40_000,
  tokens: 2_000,
  selections: 5_000,
  cost: 150_000,
};
