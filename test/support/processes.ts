/** Processes of the project as an operator starts them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningProcess {
  child: ChildProcess;
  /** What it has said so far, on both streams. */
  said(): string;
  /** Sends the signal and gives the exit status, or the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/**
 * Starts one of the project's programs with Node, with only these settings beside the machine's own. It keeps no files but
 * those that a setting names.
 */
export function startProcess(args: string[], settings: Record<string, string>): RunningProcess {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, args, {
    env: { PATH, HOME, NODE_COMPILE_CACHE, LOG_LEVEL: 'warn', TRADE_STORE_PATH: ':memory:', ...settings },
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    child,
    said: () => said,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

/** Waits until the URL answers 200; throws what the process said when it does not within a minute. */
export async function untilReady(url: string, running: RunningProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (running.child.exitCode !== null) break;
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Error(`${url} is not ready. The process said:\n${running.said()}`);
}

/**
 * Below those that the system gives to whoever asks for any port, be it only to connect: one that a program has left is
 * still free when it is started again.
 */
const PORTS = { first: 16_000, count: 16_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
