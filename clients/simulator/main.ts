/** `npm run simulate`: lets the market of a running graph live, or replays a recorded one into it. `--help` says how. */
import { readConfig } from '../../platform/config.ts';
import { createGraphClient, httpTransport } from '../../platform/graph-client.ts';
import { createLogger } from '../../platform/log.ts';
import { runMain } from '../../platform/process.ts';
import { readArguments, USAGE } from './arguments.ts';
import { findRecordings } from './recordings.ts';
import { startReplay } from './replay.ts';
import { startSimulator } from './simulator.ts';

await runMain(async (life) => {
  const asked = readArguments(life.argv);
  if (asked === 'help') return life.print(USAGE);
  const { seed, rate, replay, speed, loop } = asked;
  const recordings = replay.length > 0 ? await findRecordings(replay) : [];
  const { gatewayUrl, logLevel } = readConfig();
  const graph = createGraphClient(httpTransport(gatewayUrl));
  const log = createLogger({ level: logLevel, service: 'simulator' });
  if (recordings.length === 0) {
    const simulator = startSimulator({ graph, log, seed, rate });
    life.onStop(() => simulator.stop());
    return life.print(`Simulating the market of the graph at ${gatewayUrl} (Ctrl-C ends it).`);
  }
  const { played, done, stop } = startReplay({ graph, log, recordings, speed, loop });
  life.onStop(stop);
  life.print(`Replaying into the graph at ${gatewayUrl} at speed ${speed} (Ctrl-C ends it).`);
  await done;
  life.print(`${played.prices} prices and ${played.books} order books were replayed, ${played.refused} refused.`);
  if (played.refused > 0) process.exitCode = 1;
  await life.stop();
});
