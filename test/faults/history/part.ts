/** One process of the graph that a fault may kill, pause, and start again at the same place. */
import { readFileSync } from 'node:fs';
import { freePort, type RunningProcess, startProcess, untilReady } from '../../support/processes.ts';

export interface Part {
  name: string;
  port: number;
  /** Whether it takes connections, as a balancer in front of it would know. */
  isUp(): boolean;
  pid(): number | undefined;
  start(): Promise<void>;
  /** Resolves once it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  pause(): void;
  resume(): void;
  /** Resident memory; null while it does not run. */
  memoryBytes(): number | null;
}

export async function createPart(name: string, args: string[], settings: Record<string, string>): Promise<Part> {
  const port = await freePort();
  let running: RunningProcess | null = null;
  let isUp = false;
  const pid = () => running?.child.pid;
  return {
    name,
    port,
    isUp: () => isUp,
    pid,
    async start() {
      running = startProcess(args, { ...settings, PORT: String(port) });
      await untilReady(`http://127.0.0.1:${port}/health`, running);
      isUp = true;
    },
    async end(signal) {
      isUp = false;
      await running?.stop(signal);
      running = null;
    },
    pause: () => void running?.child.kill('SIGSTOP'),
    resume: () => void running?.child.kill('SIGCONT'),
    memoryBytes: () => residentBytes(pid()),
  };
}

function residentBytes(pid: number | undefined): number | null {
  if (pid === undefined) return null;
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null; // it ended between the two
  }
}
