/** The server that runs on a folder already, or the remains of one that was killed. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DATABASE, type Home, urlOf } from './cluster.ts';
import { isAlive, isRunning, untilEnded } from './processes.ts';

/** Past this a server that should answer, or should end, does neither. */
const PATIENCE_MS = 60_000; // a minute: recovery after a crash may take some of it
const POLL_MS = 50;

/** URL and port of the folder's server once it answers; null when there is none, and none in the making. */
export async function findRunning(home: Home): Promise<{ url: string; port: number } | null> {
  const [keeper, owner] = await readKeeperFile(home);
  const kept = await isRunning(keeper, home.keeperFile);
  const server = await readPidFile(home);
  if (kept && isAlive(owner) && server) {
    const url = await urlOf(home, server.port);
    if (await answers(url, () => isAlive(server.pid))) return { url, port: server.port };
  }
  if (kept) await untilEnded(keeper, PATIENCE_MS); // its owner has ended, so it is about to
  await clearRemains(home);
  return null;
}

/** Stops a server that has lost its keeper, and disowns a process that has taken a dead server's id. */
async function clearRemains(home: Home): Promise<void> {
  const server = await readPidFile(home);
  if (!server || !isAlive(server.pid)) return; // PostgreSQL itself sees that the file is stale, and checks more than that
  if (await isRunning(server.pid, `-D ${home.data} `)) {
    process.kill(server.pid, 'SIGINT');
    await untilEnded(server.pid, PATIENCE_MS);
  } else {
    // The file stays, or PostgreSQL could not see whether a dead server's children still hold its memory.
    const lines = (await readFile(pidFileOf(home), 'utf8')).split('\n');
    await writeFile(pidFileOf(home), [NO_PROCESS, ...lines.slice(1)].join('\n'));
  }
}

const NO_PROCESS = 2 ** 31 - 1; // above every process id that systems give out

const pidFileOf = (home: Home) => join(home.data, 'postmaster.pid');

/** Process id and port of the server that wrote postmaster.pid; null when there is none. */
async function readPidFile(home: Home): Promise<{ pid: number; port: number } | null> {
  const lines = (await readFile(pidFileOf(home), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return pid > 0 && port > 0 ? { pid, port } : null;
}

async function readKeeperFile(home: Home): Promise<[keeper: number, owner: number]> {
  const [keeper, owner] = (await readFile(home.keeperFile, 'utf8').catch(() => '')).split(' ');
  return [Number(keeper), Number(owner)];
}

/** Waits until the server takes a connection and has its database; false once `lives` says it never will. */
export async function answers(url: string, lives: () => boolean): Promise<boolean> {
  const deadline = Date.now() + PATIENCE_MS;
  while (lives() && Date.now() < deadline) {
    if (await ensureDatabase(url)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

async function ensureDatabase(url: string): Promise<boolean> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // a server that goes away while asked simply has not answered
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
