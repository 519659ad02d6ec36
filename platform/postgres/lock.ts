import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;
const WAIT_LIMIT_MS = 120_000; // two minutes: initdb on a slow disk takes some of them

/**
 * Runs `work` while no other process of this machine runs work under the same file. SQLite's file lock is the one lock
 * of Node that the system takes back from a dead process; a file with a process id would outlive a kill -9.
 */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    const deadline = Date.now() + WAIT_LIMIT_MS;
    while (!take(lock)) {
      if (Date.now() > deadline) throw new Error(`Another process holds ${file} and does not release it.`);
      await sleep(RETRY_MS);
    }
    return await work();
  } finally {
    lock.close();
  }
}

const SQLITE_BUSY = 5;

function take(lock: DatabaseSync): boolean {
  try {
    lock.exec('begin exclusive');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
