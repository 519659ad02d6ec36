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
import { type Contender, startContender } from './contenders.ts';
import { measure, type Sample } from './measure.ts';
import { ACCOUNT_ID } from './portfolio.ts';
import { fillDatabase, type Source } from './subgraphs.ts';

const ROUNDS = 5;

interface Subject {
  title: string;
  source: Source;
  /** Requests before anything is measured, and in each round. */
  warmUp: number;
  requests: number;
  /** Toys know every account; the demo has one with positions. */
  accountIds: string[];
}

type Ours = 'ours' | 'apollo';
type Samples = Record<Ours, Sample>;

interface Row {
  title: string;
  samples: Samples;
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

print(`CPU milliseconds a request, median of ${ROUNDS} rounds taken in turns; ratio is ours to @apollo/gateway.`);
const accountIds = Array.from(
  { length: 500 },
  (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
);
await compare({
  title: 'Subgraphs that answer from memory: the cost of the gateways themselves',
  source: 'memory',
  warmUp: 3_000,
  requests: 2_000,
  accountIds,
});
await withDatabase((url) =>
  compare({
    title: 'The real subgraphs on PostgreSQL, demo data',
    source: url as Source,
    warmUp: 1_000,
    requests: 600,
    accountIds: [ACCOUNT_ID],
  }),
);

async function compare(subject: Subject): Promise<void> {
  const { source } = subject;
  print(`\n${subject.title}\n`);
  const together = await both(
    () => startContender({ what: 'ours', source }),
    () => startContender({ what: 'apollo', source }),
  );
  await checkEqual(together);
  const inside = await inTurns(together, subject, (contender, requests) =>
    contender.runInside(requests, subject.accountIds),
  );
  const allInOne = await inTurns(together, subject, (contender, requests) =>
    overHttp(contender, [contender], requests, subject),
  );
  await stopAll(Object.values(together));

  const subgraphs = await startContender({ what: 'subgraphs', source });
  const { urls } = subgraphs;
  const apart = await both(
    () => startContender({ what: 'ours', source, urls }),
    () => startContender({ what: 'apollo', source, urls }),
  );
  await checkEqual(apart);
  const gatewayAlone = await inTurns(apart, subject, (contender, requests) =>
    overHttp(contender, [contender], requests, subject),
  );
  const everything = await inTurns(apart, subject, (contender, requests) =>
    overHttp(contender, [contender, subgraphs], requests, subject),
  );
  await stopAll([...Object.values(apart), subgraphs]);

  table([
    { title: 'one process, no HTTP: gateway + subgraphs', samples: inside },
    { title: 'one process, HTTP: gateway + subgraphs', samples: allInOne },
    { title: 'subgraphs apart, HTTP: gateway process', samples: gatewayAlone },
    { title: 'subgraphs apart, HTTP: gateway + subgraphs', samples: everything },
    {
      title: 'ours in one process, Apollo apart: everything',
      samples: { ours: allInOne.ours, apollo: everything.apollo },
    },
  ]);
}

async function both(
  ours: () => Promise<Contender>,
  apollo: () => Promise<Contender>,
): Promise<Record<Ours, Contender>> {
  return { ours: await ours(), apollo: await apollo() };
}

async function stopAll(contenders: Contender[]): Promise<void> {
  await Promise.all(contenders.map((contender) => contender.stop()));
}

/** A gateway that answers something else is not worth measuring. */
async function checkEqual({ ours, apollo }: Record<Ours, Contender>): Promise<void> {
  const [left, right] = await Promise.all([ours.post(ACCOUNT_ID), apollo.post(ACCOUNT_ID)]);
  const data = JSON.parse(left).data as { portfolio?: { positions?: { nodes: unknown[] } } };
  if (!data?.portfolio?.positions?.nodes.length) throw new Error(`There is no portfolio to measure: ${left}`);
  if (!isDeepStrictEqual(data, JSON.parse(right).data)) throw new Error(`The answers differ:\n${left}\n${right}`);
}

/** Rounds of each contender in turns, so that what else the machine does meets both; the medians. */
async function inTurns(
  contenders: Record<Ours, Contender>,
  { warmUp, requests }: Subject,
  run: (contender: Contender, requests: number) => Promise<Sample>,
): Promise<Samples> {
  await run(contenders.ours, warmUp);
  await run(contenders.apollo, warmUp);
  const samples: Record<Ours, Sample[]> = { ours: [], apollo: [] };
  for (let round = 0; round < ROUNDS; round++) {
    samples.ours.push(await run(contenders.ours, requests));
    samples.apollo.push(await run(contenders.apollo, requests));
  }
  return { ours: median(samples.ours), apollo: median(samples.apollo) };
}

function median(samples: readonly Sample[]): Sample {
  const middle = (pick: (sample: Sample) => number) =>
    samples.map(pick).sort((a, b) => a - b)[samples.length >> 1] ?? 0;
  return { cpuMs: middle((s) => s.cpuMs), p50Ms: middle((s) => s.p50Ms), p99Ms: middle((s) => s.p99Ms) };
}

/** Requests over HTTP; CPU is that of the counted processes, not of this one. */
async function overHttp(
  contender: Contender,
  counted: Contender[],
  requests: number,
  { accountIds }: Subject,
): Promise<Sample> {
  const used = async () =>
    (await Promise.all(counted.map((one) => one.cpuMs()))).reduce((sum, cpuMs) => sum + cpuMs, 0);
  const before = await used();
  const sample = await measure({ requests, accountIds, ask: (accountId) => contender.post(accountId) });
  return { ...sample, cpuMs: ((await used()) - before) / requests };
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
