/**
 * `npm run bench:gateway`: what one portfolio over three subgraphs costs through our gateway and through
 * @apollo/gateway, side by side in one run. Both answer the same query over the same subgraphs and are measured in
 * turns, several rounds each; the table shows the median round. CPU is that of whole processes and so contains what it
 * is named after: the gateway alone where the subgraphs are processes of their own, gateway and subgraphs where they
 * share one. The client that sends the requests, and PostgreSQL, are other processes and are not counted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createLogger } from '../platform/log.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.ts';
import { migrate } from '../prisma/migrator.ts';
import type { Role } from './contender.ts';
import { type Contender, startContender } from './contenders.ts';
import { measure, type Sample } from './measure.ts';
import { fillDatabase, type Source } from './subgraphs.ts';

const ROUNDS = 5;

interface Subject {
  title: string;
  source: Source;
  /** Requests before anything is measured, and in each round. */
  warmUp: number;
  requests: number;
}

type Side = 'ours' | 'apollo';
type Samples = Record<Side, Sample>;

interface Row {
  title: string;
  samples: Samples;
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

print(`CPU milliseconds a request, median of ${ROUNDS} rounds taken in turns; ratio is ours to @apollo/gateway.`);
await compare({
  title: 'Subgraphs that answer from memory: the cost of the gateways themselves',
  source: 'memory',
  warmUp: 3_000,
  requests: 2_000,
});
await withDatabase((url) =>
  compare({
    title: "The real subgraphs on PostgreSQL: the README's query",
    source: url as Source,
    warmUp: 1_000,
    requests: 600,
  }),
);

async function compare(subject: Subject): Promise<void> {
  const { source, requests } = subject;
  print(`\n${subject.title}\n`);

  const together = await startBoth({ source });
  const inside = await inTurns(together, subject, (contender, count) => contender.runInside(count));
  const fetches = await medianOf(() => together.ours.runInside(requests, { subgraphsAlone: true }));
  const allInOne = await inTurns(together, subject, (contender, count) => overHttp(contender, count));
  await stopAll(Object.values(together));

  const subgraphs = await startContender({ what: 'subgraphs', source });
  const apart = await startBoth({ source, urls: subgraphs.urls });
  const gateways = await inTurns(apart, subject, (contender, count) => overHttp(contender, count, subgraphs));
  await stopAll([...Object.values(apart), subgraphs]);

  const everything = withSubgraphs(gateways);
  table([
    { title: 'one process, no HTTP: gateway + subgraphs', samples: inside },
    { title: `  less the subgraphs' own ${fetches.cpuMs.toFixed(3)} ms`, samples: less(inside, fetches.cpuMs) },
    { title: 'one process, HTTP: gateway + subgraphs', samples: allInOne },
    { title: 'subgraphs apart, HTTP: gateway process', samples: gateways },
    { title: 'subgraphs apart, HTTP: gateway + subgraphs', samples: everything },
    {
      title: 'ours in one process, Apollo apart: everything',
      samples: { ours: allInOne.ours, apollo: everything.apollo },
    },
  ]);
}

async function startBoth(role: Omit<Role, 'what'>): Promise<Record<Side, Contender>> {
  const ours = await startContender({ what: 'ours', ...role });
  const apollo = await startContender({ what: 'apollo', ...role });
  await checkEqual(ours, apollo);
  return { ours, apollo };
}

/** A gateway that answers something else is not worth measuring. */
async function checkEqual(ours: Contender, apollo: Contender): Promise<void> {
  const [left, right] = await Promise.all([ours.post(0), apollo.post(0)]);
  const data = JSON.parse(left).data as { portfolio?: { positions?: { nodes: unknown[] } } };
  if (!data?.portfolio?.positions?.nodes.length) throw new Error(`There is no portfolio to measure: ${left}`);
  if (!isDeepStrictEqual(data, JSON.parse(right).data)) throw new Error(`The answers differ:\n${left}\n${right}`);
}

async function stopAll(contenders: Contender[]): Promise<void> {
  await Promise.all(contenders.map((contender) => contender.stop()));
}

/** Rounds of each contender in turns, so that what else the machine does meets both; the medians. */
async function inTurns(
  contenders: Record<Side, Contender>,
  { warmUp, requests }: Subject,
  run: (contender: Contender, requests: number) => Promise<Sample>,
): Promise<Samples> {
  await run(contenders.ours, warmUp);
  await run(contenders.apollo, warmUp);
  const samples: Record<Side, Sample[]> = { ours: [], apollo: [] };
  for (let round = 0; round < ROUNDS; round++) {
    samples.ours.push(await run(contenders.ours, requests));
    samples.apollo.push(await run(contenders.apollo, requests));
  }
  return { ours: median(samples.ours), apollo: median(samples.apollo) };
}

async function medianOf(run: () => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  for (let round = 0; round < ROUNDS; round++) samples.push(await run());
  return median(samples);
}

function median(samples: readonly Sample[]): Sample {
  const middle = (pick: (sample: Sample) => number) =>
    samples.map(pick).sort((a, b) => a - b)[samples.length >> 1] ?? 0;
  return {
    cpuMs: middle((sample) => sample.cpuMs),
    subgraphsMs: middle((sample) => sample.subgraphsMs),
    p50Ms: middle((sample) => sample.p50Ms),
    p99Ms: middle((sample) => sample.p99Ms),
  };
}

/** Requests over HTTP. CPU is that of the gateway's process, and of the subgraphs' where they have one. */
async function overHttp(contender: Contender, requests: number, subgraphs?: Contender): Promise<Sample> {
  const used = () => Promise.all([contender.cpuMs(), subgraphs?.cpuMs() ?? 0]);
  const before = await used();
  const sample = await measure(requests, contender.post);
  const after = await used();
  return { ...sample, cpuMs: (after[0] - before[0]) / requests, subgraphsMs: (after[1] - before[1]) / requests };
}

function withSubgraphs({ ours, apollo }: Samples): Samples {
  const sum = (sample: Sample) => ({ ...sample, cpuMs: sample.cpuMs + sample.subgraphsMs });
  return { ours: sum(ours), apollo: sum(apollo) };
}

function less({ ours, apollo }: Samples, cpuMs: number): Samples {
  return { ours: { ...ours, cpuMs: ours.cpuMs - cpuMs }, apollo: { ...apollo, cpuMs: apollo.cpuMs - cpuMs } };
}

function table(rows: Row[]): void {
  const line = (title: string, cells: string[]) =>
    print(title.padEnd(48) + cells.map((cell) => cell.padStart(14)).join(''));
  line('', ['ours', 'apollo', 'ratio', 'p50 ms', 'p99 ms']);
  for (const { title, samples } of rows) {
    const { ours, apollo } = samples;
    const pair = (pick: (sample: Sample) => number) => `${pick(ours).toFixed(1)} / ${pick(apollo).toFixed(1)}`;
    line(title, [
      ours.cpuMs.toFixed(3),
      apollo.cpuMs.toFixed(3),
      (ours.cpuMs / apollo.cpuMs).toFixed(2),
      pair((sample) => sample.p50Ms),
      pair((sample) => sample.p99Ms),
    ]);
  }
}

async function withDatabase(use: (url: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-bench-'));
  const log = createLogger({ level: 'error', service: 'bench' });
  const server = await startEmbeddedPostgres({ dataDir, port: 0, log, durable: false });
  try {
    await migrate({ adminUrl: server.url, log });
    await fillDatabase(server.url);
    await use(server.url);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
