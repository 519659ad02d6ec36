/** Gathers items into batches and sends a bounded number of them at once, so that memory stays constant. */

export interface Batching<Item> {
  /** Items a batch at most. */
  size: number;
  /** Distinct days of a batch's items at most, where that is limited. */
  days?: { limit: number; of: (item: Item) => string } | undefined;
  /** Batches under way at most. */
  concurrency: number;
}

/**
 * Sends all items in batches of their order. Takes no further item while `concurrency` batches are under way. When one
 * fails, nothing more is sent, and its error is thrown once those under way have ended.
 */
export async function inBatches<Item>(
  items: AsyncIterable<Item>,
  { size, days, concurrency }: Batching<Item>,
  send: (batch: Item[]) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let batch: Item[] = [];
  let batchDays = new Set<string>();

  const dispatch = async () => {
    if (batch.length === 0) return;
    const sending: Promise<void> = send(batch)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    batch = [];
    batchDays = new Set();
    if (underWay.size >= concurrency) await Promise.race(underWay);
  };

  try {
    for await (const item of items) {
      if (days && !batchDays.has(days.of(item))) {
        if (batchDays.size === days.limit) await dispatch();
        batchDays.add(days.of(item));
      }
      batch.push(item);
      if (batch.length === size) await dispatch();
      if (failures.length > 0) break;
    }
    if (failures.length === 0) await dispatch();
  } finally {
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
}
