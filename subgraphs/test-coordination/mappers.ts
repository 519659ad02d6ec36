/** Ties GraphQL types to what resolvers hand on: rows, references, ids. Paths are relative to generated/. */
export const mappers = {} as const;
