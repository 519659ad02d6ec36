/** The life of a process: it starts things, and stops them in reverse order once, however it is asked to end. */

export interface Process {
  /** Arguments after the program's name. */
  argv: string[];
  /** Called when the process ends; the last registered is the first called. */
  onStop(stop: () => Promise<void>): void;
  /** A line on standard output, for the person who started it. */
  print(line: string): void;
  /** Stops everything and ends the process. */
  stop(): Promise<void>;
}

/** Whoever asked to stop waits no longer than this for requests in flight. */
const STOP_TIMEOUT_MS = 20_000; // 20 seconds

/**
 * Runs `start` and keeps the process until SIGINT or SIGTERM, or until it calls `stop`. An error in `start` is shown
 * as one sentence and ends the process with status 1, after everything it had started was stopped.
 */
export async function runMain(start: (process: Process) => Promise<void>): Promise<void> {
  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;

  const stopAll = async () => {
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    for (const stop of stops.splice(0).reverse()) {
      await stop().catch((error: unknown) => showError(error));
    }
  };
  /** Ends with `process.exitCode`, which a program that was interrupted has set. */
  const stop = () => {
    stopping ??= stopAll().then(() => process.exit());
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void stop());
  }

  try {
    await start({
      argv: process.argv.slice(2),
      onStop: (stopOne) => void stops.push(stopOne),
      print: (line) => void process.stdout.write(`${line}\n`),
      stop,
    });
  } catch (error) {
    showError(error);
    process.exitCode = 1;
    await stop();
  }
}

function showError(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
