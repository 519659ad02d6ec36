/** One run: writers, subscribers and faults at work on a graph for a while, then the account of it all. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { runCrossingWriter } from './crossing-writer.ts';
import { type GraphWriterOptions, runGraphWriter } from './graph-writer.ts';
import type { Subscriber, TopicName, Transaction } from './history.ts';
import { findOutcomes, MARKS } from './outcomes.ts';
import type { Random } from './random.ts';
import { SqlTransaction } from './sql-transaction.ts';
import { runSqlWriter } from './sql-writer.ts';
import { runSubscriber, type SubscriberOptions } from './subscriber-client.ts';
import { GRAPH_INSTRUMENTS, LAST_KEY, PREPARATION, TABLES } from './tables.ts';
import { ask } from './topics.ts';

/** The graph under test, however it runs. */
export interface Stage {
  /** URL of trading's role, as the writers reach PostgreSQL. */
  writerUrl: string;
  /** The same past all faults. */
  url: string;
  /** Sends an operation to the graph. */
  run: GraphWriterOptions['run'];
  /** Address of a gateway for a subscriber's next connection. */
  socketUrl: () => string;
}

export interface RunOptions {
  stage: Stage;
  random: Random;
  seconds: number;
  /** Mean time between two transactions of a writer. */
  pauseMs: number;
  bulk: { rows: number; every: number };
  /** Time after the last write within which everything must have arrived. */
  settleMs: number;
  /** Inflicts faults until the signal, and leaves the graph healed. */
  faults?: (signal: AbortSignal) => Promise<void>;
  /** Others that follow the orders, from before the first write until after the last. */
  followers?: (url: string, signal: AbortSignal) => Promise<Subscriber>[];
}

export interface Account {
  transactions: Transaction[];
  followers: Subscriber[];
  /** Answers that no command should have got. */
  complaints: string[];
  subscribers: Subscriber[];
}

const TOPIC_NAMES: readonly TopicName[] = ['orders', 'trades', 'positions'];

/** Keys that all writers of a table write. */
const HOT_KEYS = Array.from({ length: 30 }, (_, index) => `hot-${index}`);

/** @throws Error when a writer is refused what nothing should refuse */
export async function run(options: RunOptions): Promise<Account> {
  const { stage, seconds, settleMs, faults } = options;
  await prepare(stage.url);
  const transactions: Transaction[] = [];
  const record = (transaction: Transaction) => transactions.push(transaction);
  const complaints: string[] = [];
  const failing = new AbortController();
  const writing = AbortSignal.any([AbortSignal.timeout(seconds * 1_000), failing.signal]);
  const hasWritten = new AbortController();
  const settling = new AbortController();
  const listening = subscribers(options, { dropping: writing, deadline: settling.signal }).map(runSubscriber);
  const complain = (answer: string) => complaints.push(answer);
  const following = options.followers?.(stage.url, hasWritten.signal) ?? [];
  const working = writers(options, { record, complain, signal: writing });
  let giveUp: NodeJS.Timeout | undefined;
  try {
    await withinReason(seconds, { ...working, faults: faults?.(writing) ?? Promise.resolve() });
    for (const topic of TOPIC_NAMES) (await writeLast(stage.url, topic)).forEach(record);
    hasWritten.abort();
    giveUp = setTimeout(() => settling.abort(), settleMs);
    return {
      transactions: await findOutcomes(stage.url, transactions),
      subscribers: await Promise.all(listening),
      followers: await Promise.all(following),
      complaints,
    };
  } finally {
    clearTimeout(giveUp);
    for (const controller of [failing, hasWritten, settling]) controller.abort();
    await Promise.allSettled([...listening, ...following]);
  }
}

/** Once faults are over, nobody has to wait longer for anything. */
const LONGEST_RECOVERY_MS = 60_000; // a minute

/** @throws Error that names those who are still at work long after the end */
async function withinReason(seconds: number, works: Readonly<Record<string, Promise<void>>>): Promise<void> {
  const atWork = new Set(Object.keys(works));
  const all = Object.entries(works).map(([name, work]) => work.then(() => atWork.delete(name)));
  const tooLate = new AbortController();
  const late = sleep(seconds * 1_000 + LONGEST_RECOVERY_MS, null, { signal: tooLate.signal }).then(() => {
    throw new Error(`Long after the last fault, these are not done: ${[...atWork].join(', ')}`);
  });
  await Promise.race([Promise.all(all), late]).finally(() => tooLate.abort());
}

async function prepare(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=trading' });
  await client.connect();
  await client.query(`${PREPARATION}; ${MARKS}`);
  await client.end();
}

/** By name, each until the signal. */
function writers(
  options: RunOptions,
  hears: Pick<GraphWriterOptions, 'record' | 'complain' | 'signal'>,
): Record<string, Promise<void>> {
  const { stage, random, pauseMs, bulk } = options;
  const common = { pauseMs, ...hears };
  const works: Record<string, Promise<void>> = {};
  for (const topic of TOPIC_NAMES) {
    for (const number of [1, 2, 3]) {
      const name = `${topic}-writer-${number}`;
      const own = { name, random: random.fork(name), table: TABLES[topic], bulk: number === 1 ? bulk : null };
      works[name] = runSqlWriter({ ...common, ...own, url: stage.writerUrl, hotKeys: HOT_KEYS });
    }
  }
  GRAPH_INSTRUMENTS.forEach((symbol, index) => {
    const name = `engine-${index + 1}`;
    works[name] = runGraphWriter({ ...common, name, random: random.fork(name), run: stage.run, symbol });
  });
  const crossing = { name: 'crossing', random: random.fork('crossing'), table: TABLES.orders, url: stage.writerUrl };
  works.crossing = runCrossingWriter({ ...common, ...crossing });
  return works;
}

/** Of each topic: some that stay, some that come and go, one that is slow, one that comes late, one that asks for less. */
function subscribers(
  { stage, random, seconds }: RunOptions,
  until: Pick<SubscriberOptions, 'dropping' | 'deadline'>,
): SubscriberOptions[] {
  const manners: Record<string, Partial<SubscriberOptions>> = {
    steady: {},
    'steady too': {},
    dropping: { drops: true },
    'dropping too': { drops: true },
    forgetful: { drops: true, forgets: true },
    fleeting: { forgets: true, isFleeting: true },
    slow: { isSlow: true },
    late: { startAfterMs: seconds * 500 },
  };
  const some = HOT_KEYS.slice(0, 5);
  const fewer = ask('positions', `symbols: [${[...some, LAST_KEY].map((key) => `"${symbolOf(key)}"`)}]`);
  const choosy: Partial<SubscriberOptions> = {
    asked: fewer,
    drops: true,
    concerns: (key) => some.includes(key) || key === LAST_KEY,
  };
  const of = (name: string, topic: TopicName, more: Partial<SubscriberOptions>): SubscriberOptions => ({
    name,
    asked: ask(topic),
    url: stage.socketUrl,
    random: random.fork(name),
    ...until,
    ...more,
  });
  return [
    ...TOPIC_NAMES.flatMap((topic) =>
      Object.entries(manners).map(([manner, more]) => of(`${topic}, ${manner}`, topic, more)),
    ),
    of('positions, choosy', 'positions', choosy),
  ];
}

const ATTEMPTS = 100;
const RETRY_MS = 200;

/** What follows everything else. */
async function writeLast(url: string, topic: TopicName): Promise<Transaction[]> {
  const account: Transaction[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const client = new pg.Client({ connectionString: url, options: '-c search_path=trading -c lock_timeout=5000' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const transaction = await SqlTransaction.begin(client, TABLES[topic], 'last');
      await transaction.insert([LAST_KEY]);
      const told = await transaction.commit();
      account.push(...told);
      if (told.every(({ outcome }) => outcome === 'committed')) return account;
    } catch {
      await sleep(RETRY_MS); // PostgreSQL is still on its way back
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw new Error(`The last row of ${topic} could not be written`);
}

/** The instrument of a position's key. */
function symbolOf(key: string): string {
  return `${key.replaceAll('-', '').toUpperCase()}-USD`;
}
