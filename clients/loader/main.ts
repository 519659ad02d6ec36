/** `npm run load -- FILE…`: loads recorded market data into the graph. `--help` says how. */
import { readConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { type Process, runMain } from '../../platform/process.ts';
import { type LoaderArguments, readArguments, USAGE } from './arguments.ts';
import { reachGraph } from './graph-target.ts';
import { type LoadContext, loadFile } from './load-file.ts';
import { type Plan, planFiles } from './plan.ts';
import { barOn, noProgress } from './progress.ts';
import { closing, complaints, total } from './report.ts';
import type { Tally } from './tally.ts';

/** What a shell reports of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const { stderr } = process;
const complain = (line: string) => void stderr.write(`${line}\n`);

await runMain(async (life) => {
  const asked = readArguments(life.argv);
  if (asked === 'help') return life.print(USAGE);
  const plan = await planFiles(asked);
  for (const problem of plan.problems) complain(problem);
  for (const path of plan.passedOver) life.print(`${path} is no recording and is passed over.`);
  process.exitCode = INTERRUPTED; // until the loading has come to its end
  const tallies = plan.files.length > 0 ? await loadPlan(plan, asked, life) : [];
  if (!tallies.some(({ stopped }) => stopped)) process.exitCode = isWhole(plan, tallies) ? 0 : 1;
  await life.stop();
});

/** Whether every row of every file that was named is in the graph. */
function isWhole({ files, problems }: Plan, tallies: readonly Tally[]): boolean {
  const isLoaded = ({ refused, failure }: Tally) => refused === 0 && failure === null;
  return files.length > 0 && problems.length === 0 && tallies.every(isLoaded);
}

/** Loads the files one after the other. */
async function loadPlan({ files }: Plan, { url }: LoaderArguments, life: Process): Promise<Tally[]> {
  const config = readConfig();
  const level = config.environment.LOG_LEVEL ? config.logLevel : 'error'; // people read progress here; logs are for the curious
  const { graph, name } = await reachGraph(url, config, createLogger({ level, service: 'loader' }), life);
  life.print(`Loading into ${name}.`);
  const stopping = new AbortController();
  const progress = stderr.isTTY ? barOn(stderr) : noProgress;
  const loading = loadAll(files, { graph, progress, signal: stopping.signal }, life);
  life.onStop(async () => {
    stopping.abort();
    await loading.catch(() => {}); // it is thrown where it is awaited, below
  });
  return loading;
}

async function loadAll(files: Plan['files'], context: LoadContext, life: Process): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const file of files) {
    if (context.signal.aborted) break;
    const tally = await loadFile(file, context);
    tallies.push(tally);
    complaints(file, tally).forEach(complain);
    closing(file, tally).forEach(life.print);
  }
  if (tallies.length > 1) life.print(total(tallies));
  return tallies;
}
