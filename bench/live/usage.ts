/** What a process has used, and now holds. */
export interface Usage {
  cpuMs: number;
  atMs: number;
  rssBytes: number;
  /** Live objects, and memory that they hold beside the heap. */
  heapBytes: number;
}

export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, atMs: performance.now(), rssBytes: rss, heapBytes: heapUsed + external };
}

/** The same with nothing left that nobody holds. */
export async function usageAfterCollection(): Promise<Usage> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return usage();
}

/** CPU between the two in percent of one core. */
export function cpuPercent(before: Usage, after: Usage): number {
  return ((after.cpuMs - before.cpuMs) / (after.atMs - before.atMs)) * 100;
}
