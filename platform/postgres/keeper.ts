/**
 * Keeps one PostgreSQL server: starts it, and stops it when the process that asked for it ends, however it ends. The
 * owner holds the other end of standard input and the system closes it for the dead, so kill -9 leaves no server.
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import type { Spawnable } from './unprivileged.ts';

const FAST_SHUTDOWN_MS = 30_000; // 30 seconds, then the server is told to quit at once; it recovers at its next start

const { server, logFile } = JSON.parse(process.argv[2] as string) as { server: Spawnable; logFile: string };
const output = openSync(logFile, 'w');
const postgres = spawn(server.program, server.args, { ...server.options, stdio: ['ignore', output, output] });
postgres.on('error', () => process.exit(1));
postgres.on('exit', (code) => process.exit(code ?? 1));

function stop(): void {
  postgres.kill('SIGINT');
  setTimeout(() => postgres.kill('SIGQUIT'), FAST_SHUTDOWN_MS).unref();
}

process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop);
