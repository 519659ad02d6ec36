/** `npm run scenario -- SCENARIO`: runs a test scenario end to end. `--help` says how. */
import { writeFile } from 'node:fs/promises';
import { readConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { runMain } from '../../platform/process.ts';
import { readArguments, USAGE } from './arguments.ts';
import { listScenarios } from './list.ts';
import { findPlace } from './place.ts';
import { followRun, reportOf, startRun } from './run.ts';

/** What a shell reports of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

await runMain(async (life) => {
  const asked = readArguments(life.argv);
  if (asked === 'help') return life.print(USAGE);
  const { environment, logLevel } = readConfig();
  // People read the report here; logs are for the curious.
  const log = createLogger({ level: environment.LOG_LEVEL ? logLevel : 'silent', service: 'scenario' });
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  const { graph, name } = await findPlace(asked.url, log, life);
  if (asked.scenarioId === null) {
    for (const line of await listScenarios(graph)) life.print(line);
    return life.stop();
  }
  process.exitCode = INTERRUPTED; // until the run has come to its end
  const run = await startRun(graph, { ...asked, scenarioId: asked.scenarioId });
  complain(`Running ${asked.scenarioId} in ${name}, run ${run.runId}, ${run.timeScale} times as fast as planned.`);
  const following = followRun(graph, run.runId, complain);
  life.onStop(() => following.end());
  const { exitCode } = await following.over;
  const report = await reportOf(graph, run.runId, asked.report);
  if (asked.out === undefined) life.print(report.trimEnd());
  else await writeFile(asked.out, report);
  process.exitCode = exitCode;
  return life.stop();
});
