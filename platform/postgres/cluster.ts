/** The files of one embedded PostgreSQL, and how they come to be. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asUser, type User } from './unprivileged.ts';

export const DATABASE = 'trading_ecosystem';

export interface Home {
  folder: string;
  /** PostgreSQL's own directory. */
  data: string;
  /** The administrator's password; for its owner's eyes only. */
  passwordFile: string;
  /** Ids of the process that keeps the server and of the one it is kept for. */
  keeperFile: string;
  logFile: string;
}

export function homeIn(folder: string): Home {
  return {
    folder,
    data: join(folder, 'data'),
    passwordFile: join(folder, 'password'),
    keeperFile: join(folder, 'keeper.pid'),
    logFile: join(folder, 'server.log'),
  };
}

/** Administrator's URL of the server on that port. */
export async function urlOf(home: Home, port: number): Promise<string> {
  const password = (await readFile(home.passwordFile, 'utf8')).trim();
  return `postgres://postgres:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** Whether a cluster is there. Throws for a directory with other things in it, which must not be overwritten. */
export async function isInitialised(home: Home): Promise<boolean> {
  const names = await readdir(home.data).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.includes('PG_VERSION')) return true;
  if (names.length > 0) throw new Error(`${home.data} is no PostgreSQL data directory. Move it away or set DATA_DIR.`);
  return false;
}

const UNFINISHED = 'data.new-';

/**
 * Makes the cluster aside and moves it into place, so that an interrupted one is never taken for whole. Each attempt
 * has a directory of its own: the initdb of a killed process may still be at work in another.
 */
export async function initialise(home: Home, initdb: string, user: User | null, durable: boolean): Promise<void> {
  for (const name of await readdir(home.folder)) {
    if (name.startsWith(UNFINISHED))
      await rm(join(home.folder, name), { recursive: true, force: true, maxRetries: 10 });
  }
  const fresh = await mkdtemp(join(home.folder, UNFINISHED));
  const handedOver = `${home.passwordFile}.new`;
  const password = randomBytes(24).toString('hex');
  await writeFile(handedOver, password, { mode: 0o600 });
  if (user) {
    await chown(fresh, user.uid, user.gid);
    await chown(handedOver, user.uid, user.gid);
  }
  const access = ['-U', 'postgres', `--pwfile=${handedOver}`, '-A', 'scram-sha-256'];
  const args = ['-D', fresh, ...access, '-E', 'UTF8', '--locale=C', ...(durable ? [] : ['--no-sync'])];
  const { program, args: all, options } = asUser(user, initdb, args, [home.folder]);
  await promisify(execFile)(program, all, options).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`PostgreSQL could not prepare ${home.data}: ${error.stderr?.trim() || error.message}`);
  });
  await rm(handedOver);
  await writeFile(home.passwordFile, password, { mode: 0o600 });
  await chmod(home.passwordFile, 0o600); // also where the file was there already
  await rename(fresh, home.data);
}

/** Settings of the server, as `-c` takes them. */
export function settings(durable: boolean): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'log_checkpoints=off',
    'timezone=UTC',
    'log_timezone=UTC',
  ];
  return durable
    ? [...always, 'shared_buffers=128MB']
    : [...always, 'shared_buffers=16MB', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
}
