import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../platform/log.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { isAlive } from '../../platform/postgres/processes.ts';

const run = promisify(execFile);
const log = createLogger({ level: 'silent', service: 'test' });

interface Started {
  url: string;
  port: number;
  owned: boolean;
}

/** A cluster that every test but those that make one finds in its folder: to make one takes seconds. */
let made: string;
let folder: string;
let servers: EmbeddedPostgres[];
let owners: ChildProcess[];

const newFolder = () => mkdtemp(join(tmpdir(), 'embedded-postgres-test-'));

beforeAll(async () => {
  made = await newFolder();
  await (await startEmbeddedPostgres({ dataDir: made, port: 0, log, durable: false })).stop();
});
afterAll(() => rm(made, { recursive: true, force: true, maxRetries: 10 }));

beforeEach(async () => {
  folder = await newFolder();
  await run('cp', ['-a', `${made}/.`, folder]); // owners and rights too
  servers = [];
  owners = [];
});

afterEach(async () => {
  for (const owner of owners) {
    owner.stdin?.end();
    if (owner.exitCode === null && owner.signalCode === null) await once(owner, 'exit');
  }
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

async function emptyFolder(): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}

async function start(options: { port?: number; dataDir?: string } = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir: folder, port: 0, log, durable: false, ...options });
  servers.push(server);
  return server;
}

function spawnOwner(): ChildProcess {
  const program = fileURLToPath(new URL('./postgres-owner.ts', import.meta.url));
  const owner = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  owners.push(owner);
  return owner;
}

async function whatItGot(owner: ChildProcess): Promise<Started> {
  const [line] = await once(createInterface({ input: owner.stdout as NodeJS.ReadableStream }), 'line');
  return JSON.parse(line as string) as Started;
}

async function kill(owner: ChildProcess): Promise<void> {
  const ended = once(owner, 'exit');
  owner.kill('SIGKILL');
  await ended;
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

async function keeperPid(): Promise<number> {
  return Number((await readFile(join(folder, 'keeper.pid'), 'utf8')).split(' ')[0]);
}

/** Waits until it holds; the test's own time limit is the only clock. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe('a server of our own', () => {
  it('answers with its database on this machine only, and is gone after stop', async () => {
    const server = await start();
    expect(server.owned).toBe(true);
    expect(await ask(server.url, 'select current_database() as name')).toEqual([{ name: 'trading_ecosystem' }]);
    expect(await ask(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(await ask(server.url, 'show unix_socket_directories')).toEqual([{ unix_socket_directories: '' }]);
    const pid = await serverPid();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('asks for a password, which only its owner can read', async () => {
    const server = await start();
    const guessed = new URL(server.url);
    guessed.password = 'guessed';
    await expect(ask(guessed.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('is durable unless told otherwise', async () => {
    const server = await startEmbeddedPostgres({ dataDir: folder, port: 0, log });
    servers.push(server);
    const settings = `select string_agg(setting, ' ' order by name) as all from pg_settings
                      where name in ('fsync', 'full_page_writes', 'synchronous_commit')`;
    expect(await ask(server.url, settings)).toEqual([{ all: 'on on on' }]);
  });

  it('takes another port when its own is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const server = await start({ port });
    expect(server.port).not.toBe(port);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    other.close();
  });

  it('keeps its data and its password over restarts', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start({ port: first.port });
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('says what PostgreSQL said when it does not start', async () => {
    await (await start()).stop();
    await writeFile(join(folder, 'data', 'postgresql.auto.conf'), 'no_such_setting = 1\n');
    await expect(start()).rejects.toThrow(/did not start\. It said:\n.*no_such_setting/);
  });

  it('touches no directory that is not PostgreSQL’s', async () => {
    await emptyFolder();
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'thesis.txt'), 'years of work');
    await expect(start()).rejects.toThrow('is no PostgreSQL data directory');
    expect(await readdir(join(folder, 'data'))).toEqual(['thesis.txt']);
  });
});

describe('two processes, one folder', () => {
  it('that start at once share one server', async () => {
    await emptyFolder();
    const got = await Promise.all([spawnOwner(), spawnOwner(), spawnOwner()].map(whatItGot));
    expect(got.map(({ owned }) => owned).sort()).toEqual([false, false, true]);
    expect(new Set(got.map(({ url }) => url)).size).toBe(1);
  });

  it('a guest that stops leaves the server to its owner, by whatever path it has reached the folder', async () => {
    const owner = await start();
    const guest = await start();
    expect(guest.owned).toBe(false);
    await guest.stop();
    expect(await ask(owner.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    const detour = join(folder, '..', folder.slice(folder.lastIndexOf('/') + 1));
    expect((await start({ dataDir: detour })).owned).toBe(false);
  });
});

describe('sudden death', () => {
  it('a killed owner leaves neither a server nor its keeper', async () => {
    const owner = spawnOwner();
    await whatItGot(owner);
    const left = [await serverPid(), await keeperPid()];
    expect(left.every(isAlive)).toBe(true);
    await kill(owner);
    await until(() => !left.some(isAlive));
  });

  it('who starts in the moment of the owner’s death gets a server of its own, not a dying one', async () => {
    const owner = spawnOwner();
    await whatItGot(owner);
    await kill(owner);
    const server = await start();
    expect(server.owned).toBe(true);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('what was committed is there after owner and server were killed', async () => {
    const owner = spawnOwner();
    const { url } = await whatItGot(owner);
    await ask(url, 'create table fills as select generate_series(1, 1000) as n');
    process.kill(await serverPid(), 'SIGKILL');
    await kill(owner);
    const server = await start();
    expect(await ask(server.url, 'select count(*)::int, sum(n)::int from fills')).toEqual([
      { count: 1000, sum: 500_500 },
    ]);
  });

  it('a server whose keeper was killed as well is stopped and followed', async () => {
    const owner = spawnOwner();
    await whatItGot(owner);
    const orphan = await serverPid();
    process.kill(await keeperPid(), 'SIGKILL');
    await kill(owner);
    expect(isAlive(orphan)).toBe(true);
    expect((await start()).owned).toBe(true);
    expect(isAlive(orphan)).toBe(false);
  });

  it('an owner killed while it makes the cluster leaves nothing in the way', async () => {
    await emptyFolder();
    const owner = spawnOwner();
    await until(async () => (await readdir(folder)).some((name) => name.startsWith('data.new-')));
    await kill(owner);
    const server = await start();
    expect(server.owned).toBe(true);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await readdir(folder)).filter((name) => name.startsWith('data'))).toEqual(['data']);
  });

  it('a dead server’s id that now belongs to another program is no server, and the program lives on', async () => {
    const server = await start();
    const pidFile = join(folder, 'data', 'postmaster.pid');
    const [, ...lines] = (await readFile(pidFile, 'utf8')).split('\n');
    await server.stop();
    const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await writeFile(pidFile, [innocent.pid, ...lines].join('\n'));
    expect((await start()).owned).toBe(true);
    expect(isAlive(innocent.pid as number)).toBe(true);
    await kill(innocent);
  });
});

/** Whether a directory on the way keeps other users out. */
function isClosed(path: string): boolean {
  const parts = path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/') || '/');
  return parts.some((directory) => (statSync(directory).mode & 0o001) === 0);
}

describe.runIf(process.getuid?.() === 0)('as root', () => {
  const uidOf = async (pid: number) => (await stat(`/proc/${pid}`)).uid;

  it('runs as another user in a folder that only root may enter', async () => {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const server = await start();
    expect(await uidOf(await serverPid())).not.toBe(0);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  // Where the project itself, and with it PostgreSQL's programs, lies in a closed folder, the capability is needed.
  it.skipIf(isClosed(process.cwd()))(
    'runs as another user, without any capability, in a folder open to all',
    async () => {
      await chmod(folder, 0o755);
      const server = await start();
      expect(await uidOf(await serverPid())).not.toBe(0);
      expect(await readFile(`/proc/${await serverPid()}/status`, 'utf8')).toMatch(/^CapEff:\s+0+$/m);
      expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    },
  );
});
