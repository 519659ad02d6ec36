/**
 * What clients do all the while: read, write and follow one balance. Every deposit adds one and is sent with its key until
 * it is acknowledged, so that it is known of each answer what it must hold.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, TestGraph } from '../../support/graph.ts';
import { ACCOUNT, type Stage } from './stage.ts';
import { until } from './waiting.ts';

export interface DegradedMark {
  domain: string;
  store: 'POSTGRESQL' | 'REDIS';
  asOf: string | null;
}

export type PageName = 'balance' | 'instrument' | 'list';

/** What a reader was told. */
export interface Reading {
  page: PageName;
  graph: 'leader' | 'follower';
  begunAt: number;
  tookMs: number;
  /** Codes of its errors. */
  codes: string[];
  degraded: DegradedMark[];
}

export interface Load {
  readings: Reading[];
  /** How long commands took to be answered, whatever the answer was. */
  commandsMs: number[];
  /** Codes with which commands were refused. */
  refusals: string[];
  /** Answers that nobody should have got. */
  complaints: string[];
  /** Deposits that were acknowledged. */
  acknowledged(): number;
  /** Deposits that were sent, once or often. */
  begun(): number;
  /** Deposits of which the one who follows the balance knows. */
  followed(): number;
  /** Ends it, after the last deposit has been acknowledged. */
  stop(): Promise<void>;
}

const PAGES: Record<PageName, string> = {
  balance: `{ exchangeAccount(id: "${ACCOUNT}") { status balances { total } } }`,
  instrument: '{ instrument(symbol: "BTC-USD") { symbol isActive } }',
  list: '{ exchangeAccounts(first: 5) { nodes { accountId } } }',
};

const DEPOSIT = 'mutation ($input: DepositInput!) { deposit(input: $input) { errors { code } } }';
const FOLLOW = `subscription ($id: ID!, $after: String) {
  exchangeBalanceChanges(accountId: $id, after: $after) { kind cursor at balance { total } } }`;

interface Told {
  exchangeBalanceChanges: { cursor: string; balance: { total: string } | null };
}

const READERS = 6;
const PAUSE_MS = 20;
const RETRY_MS = 100;

export function startLoad({ leader, follower }: Pick<Stage, 'leader' | 'follower'>): Load {
  const readings: Reading[] = [];
  const commandsMs: number[] = [];
  const refusals: string[] = [];
  const complaints: string[] = [];
  const stopping = new AbortController();
  /** Whoever follows goes on until the last deposit has been told. */
  const ending = new AbortController();
  const { signal } = stopping;
  /** When each deposit was acknowledged; the first was made before. */
  const acknowledgedAt = [Date.now()];
  let begun = 1;
  let followed = 0;

  async function read(page: PageName, graph: TestGraph): Promise<void> {
    const known = acknowledgedAt.length;
    const begunAt = performance.now();
    const answer = await graph.run(PAGES[page]);
    const tookMs = performance.now() - begunAt;
    const degraded = (answer.extensions?.degraded ?? []) as DegradedMark[];
    const codes = (answer.errors ?? []).map(({ extensions }) => String(extensions.code));
    readings.push({ page, graph: graph === leader ? 'leader' : 'follower', begunAt, tookMs, codes, degraded });
    const wrong = wrongIn(page, answer, graph === leader ? known : 1);
    if (wrong) complaints.push(`${page}: ${wrong}: ${JSON.stringify(answer)}`);
  }

  /** What is wrong with an answer; `known` deposits had been acknowledged before it was asked for. */
  function wrongIn(page: PageName, { data, errors = [], extensions }: Answer, known: number): string | null {
    if (errors.some(({ extensions: { code } }) => code !== 'DOMAIN_UNAVAILABLE')) return 'an unexpected error';
    if (errors.length > 0)
      return Object.values(data ?? {}).some((field) => field !== null) ? 'data beside its error' : null;
    if (page === 'instrument') return data.instrument?.isActive === true ? null : 'another instrument';
    if (page === 'list') return data.exchangeAccounts.nodes.length === 2 ? null : 'another list';
    const marks = (extensions?.degraded ?? []) as DegradedMark[];
    const asOf = marks.find(({ store }) => store === 'POSTGRESQL')?.asOf;
    const least = asOf ? acknowledgedAt.filter((at) => at < Date.parse(asOf)).length : known;
    const total = Number(data.exchangeAccount?.balances[0]?.total);
    if (!(total >= least)) return `older than it says, at least ${least}`;
    return total <= begun ? null : `more than the ${begun} that were ever sent`;
  }

  async function readOn(number: number): Promise<void> {
    const pages = Object.keys(PAGES) as PageName[];
    for (let turn = number; !signal.aborted; turn++) {
      await read(pages[turn % pages.length] as PageName, number % 2 === 0 ? leader : follower);
      await sleep(PAUSE_MS);
    }
  }

  async function deposit(key: string): Promise<boolean> {
    const input = { accountId: ACCOUNT, asset: 'USD', amount: '1', idempotencyKey: key };
    const begunAt = performance.now();
    const { data, errors = [] } = await leader.run(DEPOSIT, { input });
    commandsMs.push(performance.now() - begunAt);
    const refused: { code: string }[] = data?.deposit.errors ?? [];
    const codes = [...errors.map(({ extensions }) => String(extensions.code)), ...refused.map(({ code }) => code)];
    refusals.push(...codes);
    for (const code of codes) if (code !== 'DOMAIN_UNAVAILABLE') complaints.push(`a deposit: ${code}`);
    return codes.length === 0;
  }

  async function write(): Promise<void> {
    while (!signal.aborted) {
      const key = `deposit ${begun++}`;
      while (!(await deposit(key))) await sleep(RETRY_MS);
      acknowledgedAt.push(Date.now());
      await sleep(PAUSE_MS);
    }
  }

  async function follow(): Promise<void> {
    let after: string | undefined;
    while (!ending.signal.aborted) {
      const stream = follower.client.subscribe<Told>(FOLLOW, { id: ACCOUNT, after }, { signal: ending.signal });
      try {
        for await (const { exchangeBalanceChanges: told } of stream) {
          after = told.cursor;
          hear(told.balance?.total);
        }
      } catch {
        await sleep(RETRY_MS); // interrupted for long: begins again where it was
      }
    }
  }

  function hear(total: string | undefined): void {
    if (total === undefined) return;
    if (Number(total) < followed) complaints.push(`the balance went back from ${followed} to ${total}`);
    followed = Number(total);
  }

  const writing = write();
  const working = [follow(), ...Array.from({ length: READERS }, (_, number) => readOn(number))];
  return {
    readings,
    commandsMs,
    refusals,
    complaints,
    acknowledged: () => acknowledgedAt.length,
    begun: () => begun,
    followed: () => followed,
    async stop() {
      stopping.abort();
      await writing;
      await until('the last deposit is told', () => followed >= begun);
      ending.abort();
      await Promise.all(working);
    },
  };
}
