/**
 * A real PostgreSQL of our own under a folder of the project, for machines that have none. One server a folder: the
 * process that starts it owns it and takes it along when it ends; others that come later are its guests.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../log.ts';
import { findBinaries, type PostgresBinaries } from './binaries.ts';
import { type Home, homeIn, initialise, isInitialised, settings, urlOf } from './cluster.ts';
import type { KeeperTask } from './keeper.ts';
import { withLock } from './lock.ts';
import { answers, findRunning } from './running.ts';
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

/** Starts the folder's server, or joins the one that runs. Throws one sentence when neither can be had. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries();
  await mkdir(options.dataDir, { recursive: true });
  const home = homeIn(await realpath(options.dataDir)); // one folder, one server: by whatever path it is reached
  return withLock(join(home.folder, 'lock'), async () => {
    const running = await findRunning(home);
    if (running) return { ...running, owned: false, stop: async () => {} };
    const initialised = await isInitialised(home);
    const user = serverUser(initialised ? home.data : home.folder);
    if (!initialised) await initialise(home, binaries.initdb, user, options.durable ?? true);
    return startServer(home, binaries, user, options);
  });
}

const ATTEMPTS = 20;
const PAUSE_MS = 500;

/** What a server says that fails at its start and may well succeed at the next. */
const PORT_TAKEN = 'could not bind';
const NOT_YET_GONE = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/;

async function startServer(
  home: Home,
  binaries: PostgresBinaries,
  user: User | null,
  { port: wanted, log, durable = true }: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  let port = await freePort(wanted);
  for (let attempt = 1; ; attempt++) {
    const args = ['-D', home.data, '-p', String(port), ...settings(durable).flatMap((setting) => ['-c', setting])];
    const keeper = await spawnKeeper(home, asUser(user, binaries.postgres, args, [home.folder]));
    const url = await urlOf(home, port);
    if (await answers(url, () => !hasEnded(keeper))) {
      log.debug({ port, dataDir: home.folder }, 'embedded PostgreSQL is ready');
      return { url, port, owned: true, stop: () => stopKeeper(keeper) };
    }
    await stopKeeper(keeper);
    const said = (await readFile(home.logFile, 'utf8')).trim();
    if (attempt < ATTEMPTS && said.includes(PORT_TAKEN)) port = await freePort(0);
    else if (attempt < ATTEMPTS && NOT_YET_GONE.test(said)) await sleep(PAUSE_MS);
    else throw new Error(`The embedded PostgreSQL did not start. It said:\n${said.slice(-2_000)}`);
  }
}

/** A session of its own: Ctrl-C at the terminal reaches us, and we end the server in our own time. */
async function spawnKeeper(home: Home, server: KeeperTask['server']): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('./keeper.ts', import.meta.url));
  const task: KeeperTask = { server, keeperFile: home.keeperFile, owner: process.pid };
  const log = await open(home.logFile, 'w');
  const keeper = spawn(process.execPath, [program, JSON.stringify(task)], {
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
  });
  await log.close();
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void }).unref();
  return keeper;
}

async function stopKeeper(keeper: ChildProcess): Promise<void> {
  if (hasEnded(keeper)) return;
  const ended = new Promise<void>((done) => keeper.once('exit', () => done()));
  keeper.ref();
  keeper.stdin?.end();
  await ended;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The port if nothing listens there, else a free one. */
function freePort(port: number): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer();
    server.once('error', () => freePort(0).then(done, reject));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : port));
    });
  });
}
