/** Time from the sending of a write to a client that has the change, for few and many clients and writes. */
import { type Bench, type Measured, measure, type Servers, SIDES, type Side } from './bench.ts';
import { accountId, positionId } from './database.ts';
import { heading, report } from './report.ts';
import { SUBJECTS, type SubjectName } from './subjects.ts';

/** Accounts that are written to; more clients than that share them. */
const WRITTEN_ACCOUNTS = 100;

/** Writes a second of a first round that is not counted: servers run for long, and what they compile is compiled. */
const WARM_UP_RATE = 500;

const AIM = { p50Ms: 10, p99Ms: 50 };

export async function latency(bench: Bench): Promise<void> {
  heading('Commit to client: p50 / p99 in ms from the sending of the write; positions of one account a client');
  await bench.withServers(async (servers) => {
    for (const subscribers of [1, 100, 1_000]) {
      const bySide = await onBothSides(bench, servers, 'positions', subscribers, [100, 1_000, 'max']);
      for (const [index, rate] of ['100', '1,000', 'most'].entries()) {
        line(`${subscribers.toLocaleString('en')} clients, ${rate} writes/s`, bySide.graph[index], bySide.plain[index]);
      }
    }
  });
}

/** The case that the feed is built for. */
export async function target(bench: Bench): Promise<void> {
  heading('500 position changes a second, 100 accounts, 100 clients; ours with each instrument and its last price');
  await bench.withServers(async (servers) => {
    const bySide = await onBothSides(bench, servers, 'enriched', 100, [500]);
    const ours = bySide.graph[0] as Measured;
    line('p50 / p99 ms', ours, bySide.plain[0], {
      text: `p50 <= ${AIM.p50Ms}, p99 <= ${AIM.p99Ms}`,
      isMet: ours.p50Ms <= AIM.p50Ms && ours.p99Ms <= AIM.p99Ms,
    });
  });
}

type Rates = readonly (number | 'max')[];

async function onBothSides(
  bench: Bench,
  servers: Servers,
  subject: SubjectName,
  subscribers: number,
  rates: Rates,
): Promise<Record<Side, Measured[]>> {
  const accounts = Math.min(subscribers, WRITTEN_ACCOUNTS);
  const topics = Array.from({ length: subscribers }, (_, index) => accountId(index % accounts));
  const keys = Array.from({ length: accounts }, (_, index) => positionId(index));
  const measured: Record<Side, Measured[]> = { graph: [], plain: [] };
  for (const side of SIDES) {
    const url = await servers[side].ask('url');
    await bench.withClients({ side, url, subject, topics }, async (clients) => {
      const at = (rate: number | 'max') =>
        measure(bench, servers, clients, { subject: SUBJECTS[subject], side, keys, rate });
      await at(WARM_UP_RATE);
      for (const rate of rates) measured[side].push(await at(rate));
    });
  }
  return measured;
}

type Aim = { text: string; isMet: boolean };

function line(title: string, ours: Measured | undefined, plain: Measured | undefined, aim?: Aim): void {
  if (!ours || !plain) throw new Error(`${title} was not measured`);
  const figure = ({ p50Ms, p99Ms }: Measured) => `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)}`;
  const both = (pick: (side: Measured) => number, digits = 0) =>
    `${pick(ours).toFixed(digits)} / ${pick(plain).toFixed(digits)}`;
  report({
    title,
    ours: figure(ours),
    plain: figure(plain),
    ratio: ours.p50Ms / plain.p50Ms,
    ...(aim && { aim }),
    note: [
      `written ${both(({ perSecond }) => perSecond)} a second (each ${both(({ writeP50Ms }) => writeP50Ms, 1)} ms)`,
      `told ${both(({ told }) => told)}`,
      `server CPU ${both(({ cpuPercent }) => cpuPercent)} %`,
      `${(ours.calls / ours.count).toFixed(2)} calls of subgraphs a change`,
    ].join(', '),
  });
}
