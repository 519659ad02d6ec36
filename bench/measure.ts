/** What a number of requests took. */
export interface Sample {
  /** CPU of the process that was asked, a request. */
  cpuMs: number;
  /** CPU of the process that holds the subgraphs, if that is another. */
  subgraphsMs: number;
  /** Time from a request to its answer. */
  p50Ms: number;
  p99Ms: number;
}

/** Requests under way at once. */
const CONCURRENCY = 4;

/** Sends the requests, a few at a time, and measures. `ask` is told which it is. */
export async function measure(requests: number, ask: (n: number) => Promise<unknown>): Promise<Sample> {
  const times: number[] = [];
  let sent = 0;
  const before = process.cpuUsage();
  const client = async () => {
    while (sent < requests) {
      const start = performance.now();
      await ask(sent++);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  return {
    cpuMs: (user + system) / 1000 / requests,
    subgraphsMs: 0,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
