/** Backups of domains, and what restoring them does to whoever reads, subscribes and commands meanwhile. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DOMAINS, type Domain, schemaOf } from '../../../platform/domains.ts';
import { backUp } from '../../../prisma/backup/backup.ts';
import { type Header, written } from '../../../prisma/backup/file.ts';
import { restore } from '../../../prisma/backup/restore.ts';
import { type Ask, readTables } from '../../../prisma/backup/tables.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { eventually } from '../../platform/feed/rows.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { startProcess } from '../../support/processes.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { watch } from '../../support/watch.ts';
import { audit } from '../exchange/audit.ts';
import { ask, done, open, place, send } from '../exchange/floor.ts';
import { fillCandles, fillTrading } from './books.ts';

interface Database {
  url: string;
  drop(): Promise<void>;
}

let folder: string;
let redis: RedisServer;
let database: Database;
let graph: TestGraph;

const schemaIn = (url: string, domain: Domain) => ({ url: domainUrl(url, domain), schema: schemaOf(domain) });

async function as<Result>(url: string, domain: Domain, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const options = `-c search_path=${schemaOf(domain)} -c TimeZone=UTC`;
  const client = new pg.Client({ connectionString: domainUrl(url, domain), options });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Every row of every table of the domain, computed columns included, and what guards them. */
function contents(url: string, domain: Domain): Promise<Record<string, unknown>> {
  return as(url, domain, async (client) => {
    const rowsOf: Ask = async (text, values = []) =>
      (await client.query({ text, values: [...values], rowMode: 'array' })).rows;
    const found: Record<string, unknown> = {};
    for (const { name } of await readTables(rowsOf)) {
      found[name] = (await rowsOf(`select t::text from "${name}" as t order by 1`)).flat();
    }
    found.triggers = await rowsOf(
      `select tgrelid::regclass::text, tgname, tgenabled::text from pg_trigger join pg_class on pg_class.oid = tgrelid
        where relnamespace = current_schema()::regnamespace and not tgisinternal and not relispartition order by 1, 2`,
    );
    found.constraints = await rowsOf(
      `select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = current_schema()::regnamespace and conparentid = 0 order by 1, 2`,
    );
    return found;
  });
}

/** A backup, and what was there when it was taken: the graph keeps books of its own, so only where nothing has changed. */
async function backedUpInPeace(domain: Domain, path: string): Promise<{ rows: number; was: object }> {
  for (;;) {
    const was = await contents(database.url, domain);
    const { rows } = await backUp(domain, schemaIn(database.url, domain), path);
    if (isDeepStrictEqual(await contents(database.url, domain), was)) return { rows, was };
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-test-'));
  redis = await startRedis();
  database = await copyTemplate(inject('adminUrl'));
  await as(database.url, 'trading', fillTrading);
  await as(database.url, 'market-data', (client) => fillCandles(client, 1_200));
  graph = await startGraph({ domains: DOMAINS, databaseUrl: database.url, redisUrl: redis.url });
  const [buyer, seller] = [await open(graph, { USD: '1000' }), await open(graph, { BTC: '5' })];
  await done(graph, 'createSubAccount', { parentAccountId: buyer, name: 'a', accountId: FIRST_ID });
  await place(graph, seller, 'sell 2 @ 100');
  await place(graph, buyer, 'buy 1.5 @ 100');
  await done(graph, 'setConfig', { key: 'risk.limit', type: 'DECIMAL', value: '0.5', idempotencyKey: 'k' });
});

afterAll(async () => {
  await graph.close();
  await database.drop();
  await redis.stop();
  await rm(folder, { recursive: true });
});

/** Sorts before the ids of other accounts: its master comes after it. */
const FIRST_ID = '00000000-0000-4000-8000-000000000000';

describe('a backup', () => {
  it.each([...DOMAINS])('of %s restores into an empty database what was there, to the last digit', async (domain) => {
    const path = join(folder, `${domain}.backup.gz`);
    const target = await copyTemplate(inject('adminUrl'));
    const { rows, was } = await backedUpInPeace(domain, path);
    expect(await restore(domain, schemaIn(target.url, domain), path)).toMatchObject({ rows });
    expect(await contents(target.url, domain)).toEqual(was);
    expect((await restore(domain, schemaIn(target.url, domain), path)).rows).toBe(rows);
    await target.drop();
  });

  it('is of one instant, whatever is committed while it is taken', async () => {
    const path = join(folder, 'one-instant.backup.gz');
    const target = await copyTemplate(inject('adminUrl'));
    const account = await open(graph, { USD: '1000' });
    let isTaken = false;
    const paying = (async () => {
      while (!isTaken) await done(graph, 'withdraw', { accountId: account, asset: 'USD', amount: '0.01' });
    })();
    await backUp('exchange', schemaIn(database.url, 'exchange'), path);
    isTaken = true;
    await paying;
    await restore('exchange', schemaIn(target.url, 'exchange'), path);
    const restored = await startGraph({ domains: DOMAINS, databaseUrl: target.url });
    expect(await audit(restored)).toEqual({});
    await done(restored, 'withdraw', { accountId: account, asset: 'USD', amount: '1' });
    expect(await audit(restored)).toEqual({});
    await restored.close();
    await target.drop();
  });
});

describe('a restore under a graph that runs', () => {
  const CHANGES =
    'subscription ($after: String) { strategyChanges(after: $after) { kind cursor strategy { strategyId version } } }';
  const nameOf = async () => (await ask(graph, '{ strategy(id: "s2") { name } }')).strategy.name;

  it('begins a new history for subscribers, and serves nothing that was cached before', async () => {
    const path = join(folder, 'live.backup.gz');
    const before = await nameOf();
    await backUp('trading', schemaIn(database.url, 'trading'), path);
    await graph.sql('trading', `update strategies set name = 'renamed' where strategy_id = 's2'`);
    expect([await nameOf(), await nameOf()]).toEqual(['renamed', 'renamed']);
    const watcher = watch(graph.client, 'strategyChanges', CHANGES);
    const { cursor } = await watcher.begun();

    await restore('trading', schemaIn(database.url, 'trading'), path);
    await eventually('the cache is void', async () => (await nameOf()) === before);
    await watcher.until(({ kind }) => kind === 'RESYNC');
    await watcher.until(
      ({ kind, strategy }) => kind === 'SNAPSHOT' && strategy?.strategyId === 's2' && strategy.version === 2,
    );
    await watcher.leave();
    const late = watch(graph.client, 'strategyChanges', CHANGES, { after: cursor });
    expect((await late.until(() => true)).kind).toBe('RESYNC');
    await late.leave();

    const live = watch(graph.client, 'strategyChanges', CHANGES);
    await live.begun();
    await graph.sql('trading', `update strategies set name = 'again' where strategy_id = 's2'`);
    await live.until(({ kind, strategy }) => kind === 'UPSERT' && strategy?.strategyId === 's2');
    expect(await nameOf()).toBe('again');
    await live.leave();
  });

  it('waits for commands under way and they for it; all of it adds up afterwards', async () => {
    const path = join(folder, 'busy.backup.gz');
    const accounts = await Promise.all([1, 2, 3].map(() => open(graph, { USD: '1000', BTC: '1000' })));
    await backUp('exchange', schemaIn(database.url, 'exchange'), path);
    let isRestored = false;
    const codes = new Set<string>();
    const trading = accounts.map(async (accountId, i) => {
      const order = { accountId, symbol: 'BTC-USD', type: 'LIMIT', quantity: '0.01', price: '100' };
      for (let n = i; !isRestored; n++) {
        const { errors } = await send(graph, 'placeExchangeOrder', { ...order, side: n % 2 ? 'BUY' : 'SELL' });
        for (const { code } of errors) codes.add(code);
      }
    });
    await restore('exchange', schemaIn(database.url, 'exchange'), path);
    isRestored = true;
    await Promise.all(trading);
    expect([...codes].filter((code) => code !== 'DOMAIN_UNAVAILABLE')).toEqual([]);
    expect(await audit(graph)).toEqual({});
  });

  it('that fails changes nothing, and history goes on', async () => {
    const path = join(folder, 'torn.backup.gz');
    await backUp('trading', schemaIn(database.url, 'trading'), path);
    const lines = gunzipSync(await readFile(path))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const torn = lines.slice(0, -1).filter((line) => !(Array.isArray(line) && line[0] === 's3'));
    const parts: string[] = [];
    for await (const part of written(
      (async function* () {
        yield* torn;
      })(),
    ))
      parts.push(part);
    await writeFile(path, gzipSync(parts.join('')));
    const before = await contents(database.url, 'trading');
    const watcher = watch(graph.client, 'strategyChanges', CHANGES);
    await watcher.begun();
    await expect(restore('trading', schemaIn(database.url, 'trading'), path)).rejects.toThrow(/foreign key constraint/);
    expect(await contents(database.url, 'trading')).toEqual(before);
    await graph.sql('trading', `update strategies set name = 'still here' where strategy_id = 's2'`);
    await watcher.until(({ kind }) => kind === 'UPSERT');
    expect(watcher.all.some(({ kind }) => kind === 'RESYNC')).toBe(false);
    await watcher.leave();
  });
});

describe('what is no backup', () => {
  const target = () => schemaIn(database.url, 'registry');
  let good: Buffer;
  beforeAll(async () => {
    const path = join(folder, 'good.backup.gz');
    await backUp('registry', target(), path);
    good = await readFile(path);
  });

  const header = (): Header & Record<string, unknown> =>
    JSON.parse(gunzipSync(good).toString().split('\n')[0] as string);

  /** A whole file with another first line. */
  async function withHeader(changed: object): Promise<Buffer> {
    const lines = gunzipSync(good)
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line));
    const parts: string[] = [];
    for await (const part of written(
      (async function* () {
        yield* [{ ...header(), ...changed }, ...lines];
      })(),
    ))
      parts.push(part);
    return gzipSync(parts.join(''));
  }

  it.each([
    ['a file that was cut', async () => good.subarray(0, good.length - 40), 'cannot be read'],
    [
      'one that lacks its end',
      async () => gzipSync(gunzipSync(good).toString().trimEnd().split('\n').slice(0, -1).join('\n')),
      'ends too early',
    ],
    [
      'one with another digit',
      async () => gzipSync(gunzipSync(good).toString().replace('"0.5"', '"0.6"')),
      'is damaged',
    ],
    ['a table of something else', async () => gzipSync('a,b\n1,2\n'), 'is no backup'],
    ['nothing', async () => gzipSync(''), 'ends too early'],
    ['another domain', () => withHeader({ domain: 'trading' }), 'is a backup of trading, not of registry'],
    [
      'tables of an older version',
      () => withHeader({ migrations: header().migrations.slice(0, -1) }),
      'came later. Restore it into an empty database with the version that took it',
    ],
    [
      'tables of a newer version',
      () => withHeader({ migrations: [...header().migrations, '2099_x'] }),
      '2099_x is not known here',
    ],
  ] as [string, () => Promise<Buffer>, string][])('is refused: %s', async (_, make, problem) => {
    const path = join(folder, 'bad.backup.gz');
    await writeFile(path, await make());
    const before = await contents(database.url, 'registry');
    await expect(restore('registry', target(), path)).rejects.toThrow(problem);
    expect(await contents(database.url, 'registry')).toEqual(before);
  });
});

describe('the commands', () => {
  it('back up and restore', async () => {
    const path = join(folder, 'by-command.backup.gz');
    const run = async (...args: string[]) => {
      const running = startProcess(args, { REGISTRY_DATABASE_URL: domainUrl(database.url, 'registry') });
      const status = await new Promise((resolve) => running.child.on('exit', resolve));
      return { status, said: running.said() };
    };
    const backedUp = await run('prisma/backup/backup-main.ts', 'registry', '--out', path);
    expect(backedUp).toMatchObject({
      status: 0,
      said: expect.stringMatching(/: \d+ rows of \d+ tables of registry\n$/),
    });
    const restored = await run('prisma/backup/restore-main.ts', 'registry', path);
    expect(restored).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^registry is as it was at .*Z: \d+ rows restored\.\n$/),
    });
  });
});
