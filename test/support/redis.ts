/**
 * A real Redis server of a test's own, on a free port and in a folder that is removed with it. It has the users of a
 * deployment: who connects as a domain may what the domain may, and no more.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Domain } from '../../platform/domains.ts';
import { redisUrlOf, userLines, withUsers } from '../../platform/redis-users.ts';
import { freePort } from './processes.ts';

export interface RedisServer {
  /** The operator's, who may do everything; as REDIS_URL each domain makes the URL of its own user of it. */
  url: string;
  /** The URL of a domain's own user, or of its instance's. */
  urlOf(domain: Domain, instance?: string): string;
  port: number;
  /** Ends it as a crash does: nothing is saved. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. Does nothing while it runs. */
  start(): Promise<void>;
  /** One command of the operator by its words, as the text Redis answers ("+OK", ":3", …). */
  command(...words: string[]): Promise<string>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

const OPERATOR = 'operator';
const PASSWORD = 'test';

/**
 * Starts a server; installs the program first where it is missing and we may. Throws one sentence where we may not.
 *
 * @param instances that have users beside those of the singletons
 */
export async function startRedis(...instances: string[]): Promise<RedisServer> {
  const program = findProgram() ?? install();
  const folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-redis-'));
  const port = await freePort();
  const url = `redis://${OPERATOR}:${PASSWORD}@127.0.0.1:${port}`;
  const users = join(folder, 'users.acl');
  await writeFile(users, usersOf(url, instances));
  let server: ChildProcess | null = null;

  async function start(): Promise<void> {
    if (server) return;
    const storage = ['--save', '', '--appendonly', 'no', '--dir', folder];
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--aclfile', users, ...storage];
    const started = spawn(program, args, { stdio: 'ignore' });
    server = started;
    started.once('exit', () => {
      if (server === started) server = null;
    });
    await untilAnswers(port);
  }
  async function kill(): Promise<void> {
    if (!server) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  const killWithUs = () => server?.kill('SIGKILL');
  process.once('exit', killWithUs);

  await start();
  return {
    url,
    urlOf: (domain, instance) => redisUrlOf(url, domain, { INSTANCE: instance }),
    port,
    kill,
    start,
    command: (...words) => ask(port, words),
    signal: (signal) => server?.kill(signal),
    async stop() {
      process.off('exit', killWithUs);
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function usersOf(url: string, instances: readonly string[]): string {
  let file = `user ${OPERATOR} on >${PASSWORD} ~* &* +@all\n`;
  for (const INSTANCE of ['', ...instances]) file = withUsers(file, userLines(url, { INSTANCE }));
  return file;
}

function findProgram(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path));
}

function install(): string {
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (mayInstall) {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }; // the package starts no server
    execFileSync('apt-get', ['install', '-y', '-qq', 'redis-server'], { stdio: 'ignore', env: environment });
  }
  const program = findProgram();
  if (!program)
    throw new Error('These tests need the program redis-server on the PATH: install the package "redis-server".');
  return program;
}

const ATTEMPTS = 1_200;
const PAUSE_MS = 25; // half a minute in all

async function untilAnswers(port: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if ((await ask(port, ['PING']).catch(() => '')) === '+PONG') return;
    await sleep(PAUSE_MS);
  }
  throw new Error(`The Redis server on port ${port} did not answer.`);
}

/** What the server answers to one command of the operator. */
async function ask(port: number, words: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(2_000, () => socket.destroy(new Error('Redis does not answer')));
  try {
    await once(socket, 'connect');
    await send(socket, ['AUTH', OPERATOR, PASSWORD]);
    return await send(socket, words);
  } finally {
    socket.destroy();
  }
}

async function send(socket: Socket, words: string[]): Promise<string> {
  socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString().trimEnd();
}
