/** What has led to what: walks along the edges between events, each event once, whatever circles there are. */

export interface Edge {
  source: string;
  target: string;
  /** From 0 to 1. */
  confidence: number;
}

export interface Reached {
  eventId: string;
  /** Edges from the root, 0 for the root itself. */
  depth: number;
  /** Of the way to it: the product of its edges. */
  confidence: number;
}

/** Edges from an event a chain is followed at most. */
export const DEEPEST = 20;

/**
 * Breadth first from the root. `edgesFrom` gives the edges that leave any of the events of one depth.
 * @param maxEvents the walk ends once it has so many
 */
export async function walk(
  root: string,
  maxDepth: number,
  edgesFrom: (eventIds: readonly string[]) => Promise<readonly Edge[]>,
  maxEvents = Number.POSITIVE_INFINITY,
): Promise<Reached[]> {
  const reached = new Map<string, Reached>([[root, { eventId: root, depth: 0, confidence: 1 }]]);
  let frontier = [root];
  for (let depth = 1; depth <= maxDepth && frontier.length > 0 && reached.size < maxEvents; depth++) {
    const next = new Map<string, Reached>();
    for (const { source, target, confidence } of await edgesFrom(frontier)) {
      const way = (reached.get(source)?.confidence ?? 1) * confidence;
      if (reached.has(target) || (next.get(target)?.confidence ?? -1) >= way) continue;
      next.set(target, { eventId: target, depth, confidence: way });
    }
    for (const [eventId, one] of next) {
      if (reached.size < maxEvents) reached.set(eventId, one);
    }
    frontier = [...next.keys()].filter((eventId) => reached.has(eventId));
  }
  return [...reached.values()];
}

/**
 * The depth of each event below the events that nothing has led to: 0 for those. Events of a circle that nothing leads
 * into have 0 as well.
 */
export function depths(
  eventIds: readonly string[],
  edges: readonly Pick<Edge, 'source' | 'target'>[],
): Map<string, number> {
  const known = new Set(eventIds);
  const inner = edges.filter(({ source, target }) => known.has(source) && known.has(target));
  const from = Map.groupBy(inner, ({ source }) => source);
  const hasCause = new Set(inner.map(({ target }) => target));
  const found = new Map<string, number>();
  let frontier = eventIds.filter((eventId) => !hasCause.has(eventId));
  for (let depth = 0; frontier.length > 0; depth++) {
    for (const eventId of frontier) found.set(eventId, depth);
    const next = frontier.flatMap((eventId) => (from.get(eventId) ?? []).map(({ target }) => target));
    frontier = [...new Set(next)].filter((eventId) => !found.has(eventId));
  }
  for (const eventId of eventIds) if (!found.has(eventId)) found.set(eventId, 0);
  return found;
}
