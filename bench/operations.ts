/**
 * `npm run bench:operations`: how long single operations take for twenty clients, and how long operations on a thousand
 * rows take, alone and while nineteen others go on asking for single rows. The whole graph is one process on a PostgreSQL
 * of its own; the clients are this process and speak HTTP. Both share the machine's cores, so the figures say as much of
 * the machine.
 *
 * Single operations are asked for in two ways. Without pause, twenty clients keep the machine saturated: what they wait
 * is twenty divided by what it carries out in a second. At a pace (each of them every 250 ms, 80 a second in all) they
 * wait as users do; the time counts from when a request was due, so what delays one is seen by the next.
 *
 *   --only <case>[,<case>]   reads, writes, bulk
 *   --quick                  a fifth of the requests, to see that it runs
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startProcess, untilReady } from '../test/support/processes.ts';
import { chooseCases, stoppedAfterwards } from './cases.ts';
import { heading, report } from './live/report.ts';
import { type Client, clientsOf } from './operations/clients.ts';
import { bulk, type Operation, reads, writes } from './operations/operations.ts';
import { furnish } from './operations/stock.ts';

const CLIENTS = 20;
const SINGLE_AIM_MS = 100;
const BULK_AIM_MS = 500;
/** Each client at a pace sends one request in so long. */
const PACE_MS = 250;

const CASES = { reads, writes, bulk };
const { names, isQuick } = chooseCases(CASES);
const scale = isQuick ? 0.2 : 1;

await stoppedAfterwards(await startGraph(), async ({ url }) => {
  const clients = clientsOf(url, CLIENTS);
  const stock = await furnish(clients);
  for (const name of names as (keyof typeof CASES)[]) {
    heading(`${name}, milliseconds`);
    for (const operation of CASES[name](stock)) {
      if (name === 'bulk') await measureBulk(clients, operation, reads(stock)[0] as Operation);
      else await measureSingle(clients, operation);
    }
  }
});

/** Every client sends it again and again, first without pause and then at a pace. */
async function measureSingle(clients: Client[], operation: Operation): Promise<void> {
  const times = Math.ceil(60 * scale);
  await withoutPause(clients, operation, 10);
  const saturated = await withoutPause(clients, operation, times);
  show(`${operation.title}, without pause`, saturated.took, SINGLE_AIM_MS, perSecond(saturated));
  const paced = await atPace(clients, operation, times);
  show(`${operation.title}, each every ${PACE_MS} ms`, paced.took, SINGLE_AIM_MS, perSecond(paced));
}

interface Run {
  /** Milliseconds of each request. */
  took: number[];
  seconds: number;
}

function perSecond({ took, seconds }: Run): string {
  return `${(took.length / seconds).toFixed(0)} a second`;
}

function withoutPause(clients: Client[], operation: Operation, times: number): Promise<Run> {
  return together(clients, async (client, took) => {
    for (let sent = 0; sent < times; sent++) took.push(await timed(client, operation));
  });
}

/** The clients take turns within the pace. */
function atPace(clients: Client[], operation: Operation, times: number): Promise<Run> {
  const beganMs = performance.now();
  return together(clients, async (client, took) => {
    for (let sent = 0; sent < times; sent++) {
      const dueMs = beganMs + (sent + client.number / clients.length) * PACE_MS;
      await sleep(Math.max(0, dueMs - performance.now()));
      await timed(client, operation);
      took.push(performance.now() - dueMs);
    }
  });
}

async function together(clients: Client[], ask: (client: Client, took: number[]) => Promise<void>): Promise<Run> {
  const took: number[] = [];
  const beganMs = performance.now();
  await Promise.all(clients.map((client) => ask(client, took)));
  return { took, seconds: (performance.now() - beganMs) / 1_000 };
}

/** One client sends it, first alone and then beside others. */
async function measureBulk([one, ...others]: Client[], operation: Operation, beside: Operation): Promise<void> {
  const client = one as Client;
  const times = Math.ceil(20 * scale);
  const repeat = async () => {
    const took: number[] = [];
    for (let sent = 0; sent < times; sent++) took.push(await timed(client, operation));
    return took;
  };
  await repeat();
  show(`${operation.title}, alone`, await repeat(), BULK_AIM_MS);
  let isOver = false;
  const noise = others.map(async (other) => {
    while (!isOver) await timed(other, beside);
  });
  const took = await repeat();
  isOver = true;
  await Promise.all(noise);
  show(`${operation.title}, beside ${others.length} readers`, took, BULK_AIM_MS);
}

async function timed(client: Client, { request, check }: Operation): Promise<number> {
  const { document, variables } = request(client.number);
  const beganMs = performance.now();
  const data = await client.ask(document, variables);
  const tookMs = performance.now() - beganMs;
  check(data);
  return tookMs;
}

function show(title: string, times: number[], aimMs: number, note?: string): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map(at) as [number, number, number];
  const aim = { text: `p95 below ${aimMs}`, isMet: p95 < aimMs };
  const ours = [p50, p95, p99].map((ms) => ms.toFixed(1)).join(' / ');
  report({ title, ours, aim, ...(note !== undefined && { note }) });
}

/** The whole graph as `npm start` starts it, without the demo. */
async function startGraph(): Promise<{ url: string; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-bench-'));
  const port = await freePort();
  const settings = { PORT: String(port), POSTGRES_PORT: '0', DATA_DIR: dataDir, NODE_ENV: 'production' };
  const running = startProcess(['gateway/main.ts', '--no-demo', '--no-simulator'], settings);
  let stopped: Promise<void> | undefined;
  const end = async () => {
    await running.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  await untilReady(`http://127.0.0.1:${port}/ready`, running);
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    stop: () => {
      stopped ??= end();
      return stopped;
    },
  };
}
