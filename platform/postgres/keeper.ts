/**
 * Keeps one PostgreSQL server: starts it, starts it again when it is killed, and stops it when the process that asked
 * for it ends, however it ends. The owner holds the other end of standard input and the system closes it for the dead,
 * so kill -9 leaves no server.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Spawnable } from './unprivileged.ts';

export interface KeeperTask {
  server: Spawnable;
  /** Where the ids of this process and of its owner are written before the server starts. */
  keeperFile: string;
  owner: number;
}

const FAST_SHUTDOWN_MS = 30_000; // 30 seconds, then the server is told to quit at once; it recovers at its next start

const { server, keeperFile, owner } = JSON.parse(process.argv[2] as string) as KeeperTask;
if (process.ppid !== owner) process.exit(1); // died meanwhile: its successor may be starting a server already
writeFileSync(keeperFile, `${process.pid} ${owner}`);

/** A server that ends sooner has a reason that another start would meet again; its owner reads it in the log. */
const SETTLED_MS = 5_000; // 5 seconds
/** The backends of a killed server hold its memory for a moment, and no other starts until they are gone. */
const RESTARTS = 20;
const RESTART_PAUSE_MS = 500; // half a second

let postgres: ChildProcess;
let isStopping = false;
let restartsLeft = 0;

function start(): void {
  const startedAt = Date.now();
  postgres = spawn(server.program, server.args, { ...server.options, stdio: ['ignore', 'inherit', 'inherit'] });
  postgres.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  postgres.on('exit', (code) => {
    if (Date.now() - startedAt > SETTLED_MS) restartsLeft = RESTARTS;
    if (isStopping || restartsLeft-- === 0) process.exit(code ?? 1);
    setTimeout(() => (isStopping ? process.exit(0) : start()), RESTART_PAUSE_MS);
  });
}

function stop(): void {
  isStopping = true;
  postgres.kill('SIGINT');
  setTimeout(() => postgres.kill('SIGQUIT'), FAST_SHUTDOWN_MS).unref();
}

start();
process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
