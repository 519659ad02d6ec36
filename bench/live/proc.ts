/** CPU of other processes, as Linux tells it under /proc. */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessUsage {
  pid: number;
  name: string;
  /** Of the process and of children that have ended. */
  cpuMs: number;
}

/** The kernel counts CPU in hundredths of a second. */
const MS_A_TICK = 10;

/** The process and everything that descends from it. */
export async function readFamily(root: number): Promise<ProcessUsage[]> {
  const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readProcess));
  const alive = all.filter((one) => one !== null);
  const family = new Set([root]);
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of alive) if (family.has(parent)) family.add(pid);
  }
  return alive.filter(({ pid }) => family.has(pid));
}

async function readProcess(pid: string): Promise<(ProcessUsage & { parent: number }) | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number); // the first is the third of proc(5)
    const [, parent = 0] = fields;
    const cpuMs = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0) * MS_A_TICK;
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    return { pid: Number(pid), parent, name: line, cpuMs };
  } catch {
    return null; // it has ended meanwhile
  }
}
