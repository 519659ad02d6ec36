/** What a number of requests took. */
export interface Sample {
  /** CPU of this process, a request. */
  cpuMs: number;
  /** Time from a request to its answer. */
  p50Ms: number;
  p99Ms: number;
}

export interface Run {
  requests: number;
  accountIds: readonly string[];
  ask(accountId: string): Promise<unknown>;
}

/** Requests under way at once. */
const CONCURRENCY = 4;

/** Sends the requests, a few at a time, and measures. */
export async function measure({ requests, accountIds, ask }: Run): Promise<Sample> {
  const times: number[] = [];
  let sent = 0;
  const before = process.cpuUsage();
  const client = async () => {
    while (sent < requests) {
      const accountId = accountIds[sent++ % accountIds.length] as string;
      const start = performance.now();
      await ask(accountId);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  return {
    cpuMs: (user + system) / 1000 / requests,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
