/**
 * A real PostgreSQL of our own under a folder of the project, for machines that have none. One server a folder: the
 * process that starts it owns it and takes it along when it ends; others that come later are its guests.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Logger } from '../log.ts';
import { findBinaries, type PostgresBinaries } from './binaries.ts';
import { isAlive, withLock } from './lock.ts';
import { asUser, serverUser, type User } from './unprivileged.ts';

export interface EmbeddedPostgresOptions {
  /** Folder for the data, the password and the server's log; made when missing. */
  dataDir: string;
  /** Port on 127.0.0.1; another free one is taken when it is in use, or when it is 0. */
  port: number;
  log: Logger;
  /** Whether commits survive a loss of power. Only tests do without. @default true */
  durable?: boolean;
}

export interface EmbeddedPostgres {
  /** Administrator's URL of the database `trading_ecosystem`. */
  url: string;
  port: number;
  /** Whether this process started the server; a guest's `stop` does nothing. */
  owned: boolean;
  stop(): Promise<void>;
}

const DATABASE = 'trading_ecosystem';
const READY_TIMEOUT_MS = 60_000; // a minute: recovery after a crash may take some of it
const POLL_MS = 50;
const PORT_ATTEMPTS = 5;

interface Home {
  folder: string;
  data: string;
  passwordFile: string;
  keeperFile: string;
  logFile: string;
}

/** Starts the folder's server, or joins the one that runs. Throws one sentence when neither can be had. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = options.dataDir;
  const home: Home = {
    folder,
    data: join(folder, 'data'),
    passwordFile: join(folder, 'password'),
    keeperFile: join(folder, 'keeper.pid'),
    logFile: join(folder, 'server.log'),
  };
  const binaries = await findBinaries();
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, 'lock'), async () => {
    const running = await joinRunning(home);
    if (running) return running;
    const user = serverUser((await pathExists(home.data)) ? home.data : folder);
    if (!(await pathExists(join(home.data, 'PG_VERSION')))) await initialise(home, binaries, user);
    return startServer(home, binaries, user, options);
  });
}

/** The live server of the folder, once it answers; one that nobody keeps any more is stopped first. */
async function joinRunning(home: Home): Promise<EmbeddedPostgres | null> {
  const pidFile = join(home.data, 'postmaster.pid');
  const [pid, port] = await readPidFile(pidFile);
  if (pid === undefined || port === undefined) return null;
  if (!isAlive(pid) || !(await isPostgres(pid))) {
    await rm(pidFile, { force: true }); // left by a crash; its number may belong to another program now
    return null;
  }
  const keeper = Number(await readFile(home.keeperFile, 'utf8').catch(() => Number.NaN));
  const kept = isAlive(keeper) && (await answers(await urlOf(home, port), () => isAlive(pid)));
  if (kept) return { url: await urlOf(home, port), port, owned: false, stop: async () => {} };
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  await until(() => !isAlive(pid), `The PostgreSQL of process ${pid} does not stop.`);
  return null;
}

/** Process id and port of postmaster.pid; empty when there is none or it is not complete yet. */
async function readPidFile(file: string): Promise<[number?, number?]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return pid > 0 && port > 0 ? [pid, port] : [];
}

async function isPostgres(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']).catch(() => ({
    stdout: 'postgres',
  }));
  return stdout.includes('postgres');
}

/** Makes the cluster aside and moves it into place, so that an interrupted one is never taken for whole. */
async function initialise(home: Home, binaries: PostgresBinaries, user: User | null): Promise<void> {
  for (const name of await readdir(home.folder)) {
    if (name.startsWith('data')) await rm(join(home.folder, name), { recursive: true, force: true });
  }
  const fresh = `${home.data}.new`;
  const password = randomBytes(24).toString('hex');
  const handedOver = join(home.folder, 'data.password');
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(handedOver, password, { mode: 0o600 });
  if (user) {
    await chown(fresh, user.uid, user.gid);
    await chown(handedOver, user.uid, user.gid);
  }
  const args = [
    '-D',
    fresh,
    '-U',
    'postgres',
    `--pwfile=${handedOver}`,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
  ];
  const { program, args: all, options } = asUser(user, binaries.initdb, args, [home.folder]);
  await promisify(execFile)(program, all, options).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`PostgreSQL could not prepare ${home.data}: ${error.stderr?.trim() || error.message}`);
  });
  await writeFile(home.passwordFile, password, { mode: 0o600 });
  await chmod(home.passwordFile, 0o600);
  await rm(handedOver);
  await rename(fresh, home.data);
}

async function startServer(
  home: Home,
  binaries: PostgresBinaries,
  user: User | null,
  { port: wanted, log, durable = true }: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? wanted : 0);
    const args = ['-D', home.data, '-p', String(port), ...settings(durable).flatMap((setting) => ['-c', setting])];
    const keeper = spawnKeeper(home, asUser(user, binaries.postgres, args, [home.folder]));
    await writeFile(home.keeperFile, String(keeper.pid));
    const url = await urlOf(home, port);
    if (await answers(url, () => keeper.exitCode === null)) {
      log.debug({ port, dataDir: home.folder }, 'embedded PostgreSQL is ready');
      return { url, port, owned: true, stop: () => stopKeeper(keeper) };
    }
    const said = (await readFile(home.logFile, 'utf8')).trim();
    await stopKeeper(keeper);
    if (attempt === PORT_ATTEMPTS || !said.includes('could not bind')) {
      throw new Error(`The embedded PostgreSQL did not start. It said:\n${said.slice(-2_000)}`);
    }
  }
}

function settings(durable: boolean): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=128MB',
    'log_checkpoints=off',
  ];
  return durable ? always : [...always, 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
}

/** A session of its own: Ctrl-C at the terminal reaches us, and we end the server in our own time. */
function spawnKeeper(home: Home, server: ReturnType<typeof asUser>): ChildProcess {
  const program = fileURLToPath(new URL('./keeper.ts', import.meta.url));
  const keeper = spawn(process.execPath, [program, JSON.stringify({ server, logFile: home.logFile })], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void }).unref();
  return keeper;
}

async function stopKeeper(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
  keeper.ref();
  keeper.stdin?.end();
  await ended;
}

/** Waits until the server takes a connection and has its database; false once `lives` says it never will. */
async function answers(url: string, lives: () => boolean): Promise<boolean> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
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

async function urlOf(home: Home, port: number): Promise<string> {
  const password = (await readFile(home.passwordFile, 'utf8')).trim();
  return `postgres://postgres:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** The port if nothing listens there, else a free one. */
function freePort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', () => freePort(0).then(resolve, reject));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(otherwise);
    await sleep(POLL_MS);
  }
}

function pathExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
