/** One price that a thousand clients follow, with a field that another subgraph answers: what one change costs. */
import { type Bench, type Measured, measure, SIDES, type Side } from './bench.ts';
import { SYMBOLS } from './database.ts';
import { heading, report } from './report.ts';
import { SUBJECTS } from './subjects.ts';

const CLIENTS = 1_000;
const CHANGES_PER_SECOND = 10;

export async function prices(bench: Bench): Promise<void> {
  heading(`One price, ${CHANGES_PER_SECOND} changes a second, 1,000 clients; ours with a field of another subgraph`);
  const [symbol] = SYMBOLS;
  const topics = Array.from({ length: CLIENTS }, () => symbol);
  const measured = {} as Record<Side, Measured>;
  await bench.withServers(async (servers) => {
    for (const side of SIDES) {
      const url = await servers[side].ask('url');
      await bench.withClients({ side, url, subject: 'prices', topics }, async (clients) => {
        const writing = { subject: SUBJECTS.prices, side, keys: [symbol], rate: CHANGES_PER_SECOND };
        measured[side] = await measure(bench, servers, clients, writing);
      });
    }
  });
  const { graph, plain } = measured;
  const perChange = graph.calls / graph.count;
  report({
    title: 'calls of the gateway to subgraphs, a change',
    ours: perChange.toFixed(2),
    aim: { text: '1', isMet: perChange <= 1.1 },
  });
  report({
    title: 'CPU of the server in percent of one core',
    ours: graph.cpuPercent.toFixed(1),
    plain: plain.cpuPercent.toFixed(1),
    ratio: graph.cpuPercent / plain.cpuPercent,
    note: `told ${graph.told} / ${plain.told} of ${graph.count * CLIENTS} / ${plain.count * CLIENTS}`,
  });
  report({
    title: 'p50 / p99 in ms from the sending of the write',
    ours: `${graph.p50Ms.toFixed(1)} / ${graph.p99Ms.toFixed(1)}`,
    plain: `${plain.p50Ms.toFixed(1)} / ${plain.p99Ms.toFixed(1)}`,
    ratio: graph.p50Ms / plain.p50Ms,
  });
}
