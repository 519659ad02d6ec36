/** What can be known of another process by its id, which the system gives to another program after its end. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const POLL_MS = 25;

/** Whether a process of that id runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process of that id runs and has `part` in its command line. */
export async function isRunning(pid: number, part: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  return (await commandOf(pid)).includes(part);
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // it ended just now
    return command.replaceAll('\0', ' ');
  }
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'args=']).catch(() => ({
    stdout: '', // it ended just now
  }));
  return stdout;
}

/** Waits for the end of a process; throws when it lives on after `timeoutMs`. */
export async function untilEnded(pid: number, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`Process ${pid} should have ended by itself, but it still runs.`);
    await sleep(POLL_MS);
  }
}
