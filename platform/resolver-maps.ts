/** The resolvers of a subgraph whose contract is spread over modules, each with a map of its own. */

type ResolverMap = Readonly<Record<string, unknown>>;

/**
 * One map of all, type by type.
 * @throws Error when two of them answer the same field: only one could
 */
export function mergeResolvers<Resolvers extends object>(...maps: readonly Resolvers[]): Resolvers {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const [type, fields] of maps.flatMap((map) => Object.entries(map as ResolverMap))) {
    const known = merged[type] ?? {};
    const twice = Object.keys(fields as object).find((field) => field in known);
    if (twice !== undefined) throw new Error(`${type}.${twice} has two resolvers`);
    merged[type] = { ...known, ...(fields as object) };
  }
  return merged as Resolvers;
}
