/** How long orders have been there, by the simulator's own clock: the graph's may run differently. */

export interface Sightings {
  /** Looks at the orders that are there now. Gives since when each has been there; those that are gone are forgotten. */
  look(orderIds: readonly string[], nowMs: number): (orderId: string) => number;
}

export function createSightings(): Sightings {
  let firstSeenMs = new Map<string, number>();
  return {
    look(orderIds, nowMs) {
      firstSeenMs = new Map(orderIds.map((orderId) => [orderId, firstSeenMs.get(orderId) ?? nowMs]));
      const seen = firstSeenMs;
      return (orderId) => seen.get(orderId) ?? nowMs;
    },
  };
}
