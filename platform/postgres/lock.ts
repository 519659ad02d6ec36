import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 100;
const WAIT_LIMIT_MS = 120_000; // two minutes: initdb on a slow disk takes some of them

/** Runs `work` while no other process of this machine runs work under the same file. A dead holder's lock is taken over. */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + WAIT_LIMIT_MS;
  while (!(await take(file))) {
    if (Date.now() > deadline) throw new Error(`${file} is held by process ${await holderOf(file)} and not released.`);
    await sleep(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await unlink(file);
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await holderOf(file);
  if (holder === null || isAlive(holder)) return false;
  await removeStale(file, holder);
  return false;
}

/** Moves the dead holder's file aside before it goes, so that a lock taken in the meantime is seen and put back. */
async function removeStale(file: string, holder: number): Promise<void> {
  const aside = `${file}.${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await holderOf(aside)) === holder) await unlink(aside);
  else await rename(aside, file);
}

async function holderOf(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** Whether a process of that id runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
