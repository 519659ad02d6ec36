/** Exports, over HTTP and by command, and imports that restore them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { kindNamed } from '../../../clients/transfer/place.ts';
import { createAccess } from '../../../platform/access.ts';
import { type Domain, schemaOf } from '../../../platform/domains.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { readFileRows } from '../../../platform/transfer/encoding.ts';
import { type ImportTally, importRows } from '../../../platform/transfer/import.ts';
import { FORMATS, type Format } from '../../../platform/transfer/kind.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { startProcess } from '../../support/processes.ts';
import { fillCandles, fillTrading, HARD_TEXTS } from './books.ts';

interface Database {
  url: string;
  drop(): Promise<void>;
}

let folder: string;
let database: Database;
let graph: TestGraph;
let spreadOut: TestGraph;
const servers: Server[] = [];
let origin: string;
let spreadOrigin: string;

async function listen({ gateway }: TestGraph): Promise<string> {
  const server = createServer(gateway.handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function as<Result>(url: string, domain: Domain, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({
    connectionString: domainUrl(url, domain),
    options: `-c search_path=${schemaOf(domain)} -c TimeZone=UTC`,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transfer-test-'));
  database = await copyTemplate(inject('adminUrl'));
  await as(database.url, 'trading', fillTrading);
  await as(database.url, 'market-data', (client) => fillCandles(client, 1_200));
  graph = await startGraph({ databaseUrl: database.url });
  spreadOut = await startGraph({ databaseUrl: database.url, spreadOut: true });
  origin = await listen(graph);
  spreadOrigin = await listen(spreadOut);
});

afterAll(async () => {
  for (const server of servers) server.close();
  await graph.close();
  await spreadOut.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

const KINDS = [
  'strategies',
  'orders',
  'trades',
  'positions',
  'managed-trades',
  'archived-orders',
  'archived-trades',
  'archived-positions',
  'assets',
  'instruments',
  'candles',
];

/** The export as a file. */
async function save(kind: string, format: Format, from = origin): Promise<string> {
  const response = await fetch(`${from}/export/${kind}?format=${format}`);
  expect(response.status).toBe(200);
  const path = join(folder, `${kind}.${format}`);
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  return path;
}

async function restore(url: string, name: string, path: string, format: Format) {
  const { domain, kind } = kindNamed(name);
  const refused: string[] = [];
  const tally: ImportTally = await importRows({
    schema: { url: domainUrl(url, domain), schema: schemaOf(domain) },
    kind,
    read: (typeOf) => readFileRows(path, format, typeOf),
    onRefused: (place, reason) => refused.push(`${place}: ${reason}`),
  });
  return { tally, refused };
}

/** All rows of a kind, every column as PostgreSQL writes it. */
async function contents(url: string, name: string): Promise<string[]> {
  const { domain, kind } = kindNamed(name);
  const { rows } = await as(url, domain, (client) =>
    client.query<{ row: string }>(`select t::text as row from ${kind.table} as t order by ${kind.key.join(', ')}`),
  );
  return rows.map(({ row }) => row);
}

describe('an export', () => {
  it('as CSV has a header and a line a row, and nothing that a spreadsheet would run', async () => {
    const response = await fetch(`${origin}/export/trades`);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="trades.csv"');
    const text = await response.text();
    const [header, first] = text.split('\r\n');
    expect(header).toMatch(/^trade_id,order_id,strategy_id,account_id,instrument_id,side,quantity,price,gross_value,/);
    expect(first).toMatch(
      /^t1,o1,s1,00000000-0000-4000-8000-000000000001,ETH-USD,buy,0.00000001,999999999999.99999999,10000,0.5,10000.5,-0.00000001,exchange,e1,,2026-01-01T01:00:00.123457Z,"",a{32},/,
    );
    expect(text).toContain(`,'=1+1,`);
    expect(text).toContain(`,''quoted,`);
    expect(text).not.toMatch(/(,|\n)"?[=+@]/);
  });

  it('as JSON is an object a line, with decimals as texts', async () => {
    const lines = (await (await fetch(`${origin}/export/strategies?format=json`)).text()).trimEnd().split('\n');
    expect(lines).toHaveLength(HARD_TEXTS.length);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      strategy_id: 's1',
      instruments: ['BTC-USD', 'ETH-USD'],
      parameters: { text: '', rate: 0.1 },
      realized_pnl: '-1234567890123456789012345678.12345678',
      max_leverage: '2.5',
      max_daily_loss: null,
      created_at: '2026-01-01T01:00:00.000001Z',
      version: 1,
    });
  });

  it('as Parquet has decimals as DECIMAL and instants in microseconds', async () => {
    const { schema, num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(await save('trades', 'parquet')));
    const element = (name: string) => schema.find((column) => column.name === name);
    expect(num_rows).toBe(BigInt(HARD_TEXTS.length - 2));
    expect(element('price')).toMatchObject({ converted_type: 'DECIMAL', precision: 20, scale: 8 });
    expect(element('executed_at')).toMatchObject({ converted_type: 'TIMESTAMP_MICROS' });
    expect(element('notes')).toMatchObject({ converted_type: 'UTF8' });
  });

  it('has the rows of a half-open window, and of what else is chosen', async () => {
    const idsOf = async (query: string) => {
      const text = await (await fetch(`${origin}/export/orders?format=json&${query}`)).text();
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).order_id as string]));
    };
    const window = 'since=2026-01-01T02:00:00.123456Z&until=2026-01-01T05:00:00.123456Z';
    expect(await idsOf(window)).toEqual(['o2', 'o3', 'o4']);
    expect(await idsOf(`${window}&symbol=BTC-USD`)).toEqual(['o2', 'o4']);
    expect(await idsOf('strategyId=s3')).toEqual(['o3']);
    expect(await idsOf('since=2026-01-02')).toEqual([]);
    expect(await idsOf("symbol=' or true --")).toEqual([]);
  });

  it.each([
    ['format=xml', 'format must be csv, json, parquet, but got "xml".'],
    ['since=yesterday', 'since must be RFC 3339, for example "2026-01-01T09:30:00.25Z", or a day such as 2026-01-01.'],
    [
      'since=2026-01-01T00:00:00',
      'since must have an offset, "Z" or for example "+01:00", or a day such as 2026-01-01.',
    ],
    ['limit=1', 'orders cannot be chosen by limit, only by since, until, strategyId, accountId, symbol.'],
    ['symbol=A-B&symbol=C-D', 'symbol is given more than once.'],
    ['accountId=me', 'invalid input syntax for type uuid: "me".'],
  ])('of %s is refused', async (query, problem) => {
    for (const at of [origin, spreadOrigin]) {
      const response = await fetch(`${at}/export/orders?${query}`);
      expect([response.status, await response.json()]).toEqual([400, { error: problem }]);
    }
  });

  it('of what is none is not found, and is only read', async () => {
    const response = await fetch(`${origin}/export/secrets`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error:
        'There is no export of "secrets", only of archived-orders, archived-positions, archived-trades, assets, candles, instruments, managed-trades, orders, positions, strategies, trades.',
    });
    expect((await fetch(`${origin}/export/orders`, { method: 'POST' })).status).toBe(405);
    for (let i = 0; i < 4; i++) expect((await fetch(`${origin}/export/orders`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each([...FORMATS])('as %s is the same whether the domain is in the process or apart', async (format) => {
    const read = async (at: string) => (await fetch(`${at}/export/orders?format=${format}`)).bytes();
    expect(await read(spreadOrigin)).toEqual(await read(origin));
  });

  it('is one of two at a time, and makes room when its reader leaves', async () => {
    const { exports } = graph.subgraphs.get('market-data') as Subgraph;
    const begun = await Promise.all(
      [1, 2].map(() => exports.open({ kind: 'candles', parameters: new URLSearchParams() })),
    );
    const third = await fetch(`${origin}/export/candles`);
    expect([third.status, await third.json()]).toEqual([
      429,
      { error: '2 exports are running already. Try again when one has ended.' },
    ]);
    for (const answer of begun) {
      if (answer.status !== 200) throw new Error(answer.problem);
      for await (const part of answer.body) {
        expect(part.length).toBeGreaterThan(0);
        break;
      }
    }
    const leaving = new AbortController();
    expect((await fetch(`${origin}/export/candles`, { signal: leaving.signal })).status).toBe(200);
    leaving.abort();
    await expect.poll(() => exports.running()).toBe(0);
  });
});

describe('an export where callers show tokens', () => {
  it('is for administrators, wherever the domain is', async () => {
    const secret = 'a secret for tests, of more than 32 bytes';
    const access = createAccess({ secret });
    const guarded = await startGraph({ databaseUrl: database.url, spreadOut: true, access });
    const at = await listen(guarded);
    const statusFor = async (roles: string[] | null) => {
      const signer = new SignJWT({ roles }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h');
      const token = await signer.sign(new TextEncoder().encode(secret));
      const headers: Record<string, string> = roles === null ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${at}/export/trades`, { headers });
      await response.bytes();
      return response.status;
    };
    expect([await statusFor(null), await statusFor(['auditor']), await statusFor(['administrator'])]).toEqual([
      401, 403, 200,
    ]);
    const untrusted = await fetch(`${at}/export/trades`, { headers: { authorization: 'Bearer x' } });
    expect([untrusted.status, await untrusted.json()]).toEqual([
      401,
      { error: 'The token is not trusted: Invalid Compact JWS.' },
    ]);
    await guarded.close();
  });
});

describe('an import', () => {
  it.each([...FORMATS])('of %s restores what was exported exactly, once', async (format) => {
    const target = await copyTemplate(inject('adminUrl'));
    for (const kind of KINDS) {
      const path = await save(kind, format);
      const { tally, refused } = await restore(target.url, kind, path, format);
      const before = await contents(database.url, kind);
      expect(refused).toEqual([]);
      expect(tally).toEqual({ stored: before.length, known: 0, refused: 0 });
      expect(await contents(target.url, kind)).toEqual(before);
      const again = await restore(target.url, kind, path, format);
      expect(again.tally).toEqual({ stored: 0, known: before.length, refused: 0 });
    }
    await target.drop();
  });

  it('names what is there with other content, and what does not fit, by its line', async () => {
    const target = await copyTemplate(inject('adminUrl'));
    for (const kind of ['strategies', 'orders']) await restore(target.url, kind, await save(kind, 'json'), 'json');
    const rows = (await readFile(await save('trades', 'json'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const path = join(folder, 'bad.json');
    const write = (lines: object[]) => writeFile(path, lines.map((line) => JSON.stringify(line)).join('\n'));
    await write([rows[0]]);
    await restore(target.url, 'trades', path, 'json');
    await write([
      { ...rows[0], price: '1', notes: null },
      rows[1],
      { ...rows[2], order_id: 'nobody' },
      { ...rows[3], quantity: '-1' },
      { ...rows[4], executed_at: 'soon' },
      { ...rows[5], gross_value: '1' },
      { ...rows[6], exchange_trade_id: rows[1].exchange_trade_id },
      { trade_id: 'x' },
      rows[7],
      rows[7],
    ]);
    const { tally, refused } = await restore(target.url, 'trades', path, 'json');
    expect(tally).toEqual({ stored: 2, known: 1, refused: 7 });
    expect(refused.map((line) => line.slice(0, line.indexOf(':'))).toSorted()).toEqual(
      [1, 3, 4, 5, 6, 7, 8].map((line) => `line ${line}`),
    );
    const reason = (line: number) => refused.find((text) => text.startsWith(`line ${line}:`));
    expect(reason(1)).toContain('with other content in price, notes');
    expect(reason(3)).toContain('is not present in table "orders"');
    expect(reason(4)).toContain('trades_quantity_positive');
    expect(reason(5)).toContain('invalid input syntax for type timestamp with time zone: "soon"');
    expect(reason(6)).toContain('or was computed, with other content in gross_value');
    expect(reason(7)).toContain('trades_exchange_trade_key');
    expect(reason(8)).toContain('it has other fields than the first row');
    expect(await contents(target.url, 'trades')).toEqual(
      (await contents(database.url, 'trades')).filter((row) => /^\((t1|t2|t8),/.test(row)),
    );
    await target.drop();
  });

  it.each([
    ['csv', 'trade_id,nonsense\r\nx,y\r\n', 'It has columns that trades do not have: nonsense.'],
    ['csv', 'trade_id,order_id\r\nx,y\r\n', 'It lacks columns that trades need: strategy_id, account_id'],
    ['csv', 'trade_id,order_id\r\nx\r\n', 'Invalid Record Length'],
    ['json', '{"trade_id":"x"\n', 'line 1 is no JSON object'],
    ['json', '[]\n', 'line 1 is no JSON object'],
    ['parquet', 'PAR1 nonsense PAR1', 'parquet'],
  ] as [Format, string, string][])('of %s that cannot be read is refused whole: %j', async (format, text, problem) => {
    const path = join(folder, `unreadable.${format}`);
    await writeFile(path, text);
    await expect(restore(database.url, 'trades', path, format)).rejects.toThrow(problem);
  });
});

describe('the commands', () => {
  it('name what there is', () => {
    expect(() => kindNamed('secrets')).toThrow('Name what is meant: assets, instruments, candles, strategies, orders');
  });

  it('export to a file and import it elsewhere', async () => {
    const path = join(folder, 'strategies.parquet');
    const run = async (url: string, ...args: string[]) => {
      const running = startProcess(args, { TRADING_DATABASE_URL: domainUrl(url, 'trading') });
      const status = await new Promise((resolve) => running.child.on('exit', resolve));
      return { status, said: running.said() };
    };
    const exported = await run(database.url, 'clients/transfer/export-main.ts', 'strategies', '--out', path);
    expect(exported).toEqual({ status: 0, said: '' });
    const target = await copyTemplate(inject('adminUrl'));
    const imported = await run(target.url, 'clients/transfer/import-main.ts', 'strategies', path);
    const count = HARD_TEXTS.length;
    const said = `strategies.parquet: ${count} strategies restored, 0 already there, 0 refused\n`;
    expect(imported).toEqual({ status: 0, said });
    await target.drop();
  });
});
