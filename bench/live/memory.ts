/** What thousands of idle subscribers hold in the server's process, and what a few do that take nothing any more. */
import { type Bench, type Servers, SIDES, type Side, sleep } from './bench.ts';
import type { ClientsMethods, Crowd } from './clients-process.ts';
import { ACCOUNTS, accountId, positionId, run } from './database.ts';
import type { ServerMethods } from './graph-process.ts';
import type { Child } from './processes.ts';
import { heading, report } from './report.ts';
import { SUBJECTS } from './subjects.ts';
import { cpuPercent, type Usage } from './usage.ts';

const SUBSCRIBERS = 5_000;
const AIM_KB = 30;

const OWN = Array.from({ length: SUBSCRIBERS }, (_, index) => accountId(index % ACCOUNTS));
const SAME = Array.from({ length: SUBSCRIBERS }, () => accountId(0));

export async function memory(bench: Bench): Promise<void> {
  heading('5,000 idle subscribers: KB that the server holds for each (and by how much its resident memory has grown)');
  await held(bench, 'each on its own account, a socket each', { topics: OWN });
  await held(bench, 'each on its own account, 100 a socket', { topics: OWN, perSocket: 100 }, ['graph']);
  await held(bench, 'all on one account, a socket each', { topics: SAME });
  await stalled(bench);
}

interface Held {
  /** Live objects and what they hold. */
  heldKb: number;
  /** With pages that hold nothing any more and have not been given back. */
  residentKb: number;
  /** While nothing happens, in percent of one core. */
  cpu: number;
}

async function held(
  bench: Bench,
  title: string,
  crowd: Pick<Crowd, 'topics' | 'perSocket'>,
  sides = SIDES,
): Promise<void> {
  const found: Partial<Record<Side, Held>> = {};
  for (const side of sides) {
    await bench.withServers(async (servers) => {
      found[side] = await holdOpen(bench, servers[side], { side, ...crowd });
    });
  }
  const { graph, plain } = found;
  if (!graph) throw new Error(`${title} was not measured`);
  const figure = ({ heldKb, residentKb }: Held) => `${heldKb.toFixed(1)} (${residentKb.toFixed(1)})`;
  report({
    title,
    ours: figure(graph),
    ...(plain && { plain: figure(plain), ratio: graph.heldKb / plain.heldKb }),
    aim: { text: `<= ${AIM_KB} held`, isMet: graph.heldKb <= AIM_KB },
    note: `idle CPU ${graph.cpu.toFixed(1)} / ${plain?.cpu.toFixed(1) ?? '-'} %`,
  });
}

async function holdOpen(
  bench: Bench,
  server: Child<ServerMethods>,
  crowd: Omit<Crowd, 'url' | 'subject'>,
): Promise<Held> {
  const url = await server.ask('url');
  const whole: Crowd = { ...crowd, url, subject: 'positions' };
  await bench.withClients({ ...whole, topics: crowd.topics.slice(0, 500) }, () => sleep(500));
  await sleep(500);
  const before = await server.ask('usageAfterCollection');
  return bench.withClients(whole, async () => {
    await sleep(1_500);
    const idle = await server.ask('usage');
    await sleep(bench.seconds * 1_000);
    const cpu = cpuPercent(idle, await server.ask('usage'));
    const after = await server.ask('usageAfterCollection');
    const each = (pick: (usage: Usage) => number) => (pick(after) - pick(before)) / crowd.topics.length / 1_024;
    return { heldKb: each(({ heapBytes }) => heapBytes), residentKb: each(({ rssBytes }) => rssBytes), cpu };
  });
}

/** Clients of one busy account: these stop taking anything, and as many others go on. */
const STALLED = 10;

/** Each change of the busy account is some kilobytes, so that what the kernel takes for a client is soon full. */
const NOTES = [SUBJECTS.noted.table, SUBJECTS.noted.plainTable]
  .map(
    (table) => `update ${table} set quantity = 1 where quantity <> 1;
      update ${table} set notes = repeat('€', 2000) where position_id = '${positionId(0)}';`,
  )
  .join('\n');

const WRITES_PER_SECOND = 300;

async function stalled(bench: Bench): Promise<void> {
  await run(bench.database, 'trading', NOTES);
  const found = {} as Record<Side, { grownMb: number; behind: number }>;
  for (const side of SIDES) {
    await bench.withServers(async (servers) => {
      found[side] = await stallSome(bench, servers, side);
    });
  }
  const { graph, plain } = found;
  report({
    title: `10 of 5,000 take nothing, ${WRITES_PER_SECOND} writes/s of 6 KB: MB grown`,
    ours: graph.grownMb.toFixed(1),
    plain: plain.grownMb.toFixed(1),
    ratio: graph.grownMb / plain.grownMb,
    aim: { text: 'the others have every last state', isMet: graph.behind === 0 },
    note: `others that have not: ${graph.behind} / ${plain.behind}`,
  });
}

async function stallSome(bench: Bench, servers: Servers, side: Side): Promise<{ grownMb: number; behind: number }> {
  const server = servers[side];
  const busy = Array.from({ length: 2 * STALLED }, () => accountId(0));
  const topics = [...busy, ...OWN.slice(1, SUBSCRIBERS - busy.length + 1)];
  const crowd: Crowd = { side, url: await server.ask('url'), subject: 'noted', topics };
  return bench.withClients(crowd, async (clients) => {
    await clients.ask('stall', STALLED);
    const before = await server.ask('usageAfterCollection');
    const writing = { subject: SUBJECTS.noted, side, rate: WRITES_PER_SECOND, seconds: bench.seconds };
    const others = topics.slice(2 * STALLED).map((_, index) => positionId(index + 1));
    await bench.writer.write({ ...writing, keys: busyInTurnsWith(others) });
    const behind = await countBehind(bench, side, clients, topics);
    const after = await server.ask('usageAfterCollection');
    return { grownMb: (after.rssBytes - before.rssBytes) / 1_024 ** 2, behind };
  });
}

/** Every other write is of the busy account. */
function busyInTurnsWith(others: readonly string[]): string[] {
  return others.flatMap((other) => [positionId(0), other]);
}

/** Time that those who go on have to hear the last change of their account. */
const PATIENCE_MS = 10_000; // 10 seconds

/** Subscriptions that go on and do not hear the last that was written to their account. */
async function countBehind(
  bench: Bench,
  side: Side,
  clients: Child<ClientsMethods>,
  topics: string[],
): Promise<number> {
  const written = await lastWritten(bench, side);
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const latest = await clients.ask('latest');
    const isBehind = (account: string, index: number) =>
      index >= STALLED && (written.get(account) ?? 0) > (latest[index] ?? 0);
    const behind = topics.filter(isBehind).length;
    if (behind === 0 || performance.now() > until) return behind;
    await sleep(200);
  }
}

/** The moment that each account's position holds. */
async function lastWritten({ database }: Bench, side: Side): Promise<Map<string, number>> {
  const { table, plainTable } = SUBJECTS.noted;
  const client = await database.connect('trading');
  const { rows } = await client.query<{ account_id: string; quantity: string }>(
    `select account_id, quantity from ${side === 'graph' ? table : plainTable} where quantity > 1`,
  );
  await client.end();
  return new Map(rows.map((row) => [row.account_id, Number(row.quantity)]));
}
