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

/** What subscriptions to changes may hold. Whoever falls behind a shared stream goes on by one of its own. */
export interface LiveLimits {
  /** Subscriptions of all clients; each takes about 30 kB in all that it passes through. */
  subscriptions: number;
  /** Events that one shared stream keeps for members that have not taken them. */
  tailEntries: number;
  /** Text of those events. */
  tailBytes: number;
  /** Text that all shared streams keep together. */
  retainedBytes: number;
  /** Time in which a client takes nothing of what it is sent before its connection is closed. */
  stallMs: number;
  /** How long a stream whose subgraph has gone is tried again before its clients are told. */
  retryMs: number;
}

export const LIVE_LIMITS: LiveLimits = {
  subscriptions: 20_000,
  tailEntries: 1_000,
  tailBytes: 1024 * 1024,
  retainedBytes: 128 * 1024 * 1024,
  stallMs: 30_000, // 30 seconds
  retryMs: 30_000, // 30 seconds: a restart takes less
};
