/** CPU that the graph uses while nobody asks it anything, with that of its PostgreSQL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Bench, sleep } from './bench.ts';
import { type ProcessUsage, readFamily } from './proc.ts';
import { heading, report } from './report.ts';

/** In percent of one core. */
const AIM_PERCENT = 3;

/** Idling takes longer to measure: the kernel counts in hundredths of a second. */
const LONGER = 4;

/** Time after the start in which the graph and PostgreSQL still tidy up, a multiple of what a case is measured. */
const SETTLING = 6;

export async function idle(bench: Bench): Promise<void> {
  heading('CPU of an idle graph with its PostgreSQL, in percent of one core');
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-idle-'));
  const graph = await startGraph(dataDir);
  try {
    await sleep(bench.seconds * SETTLING * 1_000);
    const ms = bench.seconds * LONGER * 1_000;
    const before = await readAll(graph, dataDir);
    await sleep(ms);
    const percents = shares(before, await readAll(graph, dataDir), ms);
    const sum = percents.reduce((total, { percent }) => total + percent, 0);
    report({
      title: 'gateway, every subgraph, PostgreSQL',
      ours: sum.toFixed(2),
      aim: { text: `< ${AIM_PERCENT}`, isMet: sum < AIM_PERCENT },
      note: `over ${ms / 1_000} s`,
    });
    for (const { name, percent } of percents) if (percent > 0) report({ title: `  ${name}`, ours: percent.toFixed(2) });
  } finally {
    graph.kill('SIGTERM');
    await once(graph, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** `npm start` in a folder of its own, with the demo and without the simulator. */
async function startGraph(dataDir: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../../gateway/main.ts', import.meta.url));
  const graph = spawn(process.execPath, [program, '--no-simulator'], {
    env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', PORT: '0', POSTGRES_PORT: '0', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: graph.stdout });
  await Promise.race([
    once(lines, 'line'),
    once(graph, 'exit').then(() => Promise.reject(new Error('It did not start'))),
  ]);
  return graph;
}

/** PostgreSQL is no child of the graph: it outlives its parent for long enough to end well. */
async function readAll(graph: ChildProcess, dataDir: string): Promise<ProcessUsage[]> {
  const [postmaster] = (await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n');
  const [node, postgres] = await Promise.all([readFamily(graph.pid as number), readFamily(Number(postmaster))]);
  return [...node.filter(({ pid }) => pid === graph.pid), ...postgres];
}

/** What each kind of process used, the most first. */
function shares(before: ProcessUsage[], after: ProcessUsage[], ms: number): { name: string; percent: number }[] {
  const used = new Map<string, number>();
  for (const { pid, name, cpuMs } of after) {
    const kind = kindOf(name);
    const earlier = before.find((one) => one.pid === pid)?.cpuMs ?? 0;
    used.set(kind, (used.get(kind) ?? 0) + ((cpuMs - earlier) / ms) * 100);
  }
  return [...used].map(([name, percent]) => ({ name, percent })).sort((a, b) => b.percent - a.percent);
}

function kindOf(name: string): string {
  if (name.startsWith('postgres: ')) return name.replace(/ 127\.0\.0\.1.*/, '');
  return name.includes('gateway/main.ts') ? 'graph (node)' : 'postmaster';
}
