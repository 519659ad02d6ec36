import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { USAGE } from '../../clients/loader/arguments.ts';
import type { Subgraph } from '../../platform/subgraph.ts';
import { serveSubgraph } from '../../platform/subgraph-server.ts';
import { copyTemplate } from '../support/databases.ts';
import { startGraph } from '../support/graph.ts';
import { csv, folder } from './support.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BARS = 'time,open,high,low,close,volume';
const TRADES = 'time,trade_id,price,quantity,taker_side';
/** A port on which nothing listens. */
const SILENT = 1;

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the loader as a person does. */
function start(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const { VITEST: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['clients/loader/main.ts', ...argv], {
    cwd: ROOT,
    env: { ...inherited, PORT: String(SILENT), DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ...environment },
  });
  running.add(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  const ended = new Promise<Ended>((done) => {
    child.on('close', (code) => {
      running.delete(child);
      done({ code, ...said });
    });
  });
  return { child, ended };
}
const run = (argv: readonly string[], environment?: NodeJS.ProcessEnv) => start(argv, environment).ended;

/** A graph of the market data alone, over HTTP. */
async function served() {
  const graph = await startGraph({ domains: ['market-data'] });
  const server = await serveSubgraph(graph.subgraphs.get('market-data') as Subgraph, { port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await server.close();
    await graph.close();
  });
  return { graph, url: server.url };
}

/** A database of its own, and the way to ask it. */
async function database() {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await drop();
  });
  const one = async (text: string) => (await client.query(text)).rows[0];
  /** Comes back once nobody else is connected; a connection that stays is a test that does not end. */
  const untilAlone = async () => {
    while ((await one(OTHERS)).connections > 0) await sleep(20);
  };
  return { url, one, untilAlone };
}

const OTHERS = `select count(*)::int as connections from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

describe('npm run load', () => {
  it('shows its usage when asked', async () => {
    expect(await run(['--help'])).toEqual({ code: 0, out: `${USAGE}\n`, err: '' });
  });

  it('refuses what it does not understand, with the usage', async () => {
    const { code, out, err } = await run(['--verbose', 'a.csv']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain("Unknown option '--verbose'");
    expect(err).toContain(USAGE);
  });

  it('names missing files', async () => {
    expect(await run(['/nowhere/bars.csv'])).toEqual({
      code: 1,
      out: '',
      err: 'There is no file /nowhere/bars.csv.\n',
    });
  });

  it('says that nothing answers at the URL, or not this graph', async () => {
    const path = join(folder({ 'bars-1m-x-btcusd.csv': csv(BARS, []) }), 'bars-1m-x-btcusd.csv');
    const url = `http://127.0.0.1:${SILENT}/graphql`;
    expect(await run(['--url', url, path])).toEqual({ code: 1, out: '', err: `Nothing answers at ${url}.\n` });
    const { url: graph } = await served();
    const elsewhere = graph.replace('/graphql', '/health');
    expect((await run(['--url', elsewhere, path])).err).toBe(`What answers at ${elsewhere} is not this graph.\n`);
  });

  it('sends to the graph of the URL: names bad rows on standard error and ends with 1, without them with 0', async () => {
    const { graph, url } = await served();
    const good = ['2018-04-04T00:00:00Z,1,2,1,2,5', '2018-04-04T00:01:00Z,1,2,1,2,5'];
    const bad = '2018-04-04T00:02:00Z,1,2,1.5,2,5';
    const name = 'bars-1m-coinbase-btcusd.csv';
    const mixed = join(folder({ [name]: csv(BARS, [...good, bad]) }), name);
    const { code, out, err } = await run(['--url', url, mixed]);
    expect(err).toBe(`${mixed}:4: low must be at most open and close, but got open 1, high 2, low 1.5, close 2\n`);
    expect(out.replace(/in .* second\)/, 'in TIME')).toBe(
      [
        `Loading into the graph at ${url}.`,
        `${mixed}: 3 rows in TIME: 2 bars stored, 0 already there, 1 refused`,
        '  BTC-USD was not known and has been created',
        '',
      ].join('\n'),
    );
    expect(code).toBe(1);

    const clean = join(folder({ [name]: csv(BARS, good) }), name);
    expect(await run(['--url', url, clean])).toMatchObject({ code: 0, err: '' });
    const [stored] = await graph.sql('market-data', `select count(*)::int from candles where "interval" = '1m'`);
    expect(stored).toEqual({ count: 2 });
  });

  it('uses the graph that answers at the configured port', async () => {
    const { url } = await served();
    const path = folder({ 'bars-1m-coinbase-btcusd.csv': csv(BARS, ['2018-04-04T00:00:00Z,1,2,1,2,5']) });
    const { code, out } = await run([path], { PORT: new URL(url).port });
    expect(out).toContain(`Loading into the graph at ${url}.`);
    expect(code).toBe(0);
  });

  it('opens the database itself when no graph answers, and leaves no connection', async () => {
    const { url, one, untilAlone } = await database();
    const path = folder({
      'bars-1m-coinbase-btcusd.csv': csv(BARS, ['2018-04-04T00:00:00Z,1,2,1,2,5']),
      'trades-binance-spot-btcusdt.csv': csv(TRADES, ['2018-04-04T00:00:00Z,1,100,5,BUY']),
    });
    const { code, out, err } = await run([path], { DATABASE_URL: url });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Loading into the database.');
    expect(out).toMatch(/2 files: 2 rows in .*: 2 stored, 0 already there, 0 refused\n$/);
    expect(await one('select count(*)::int from market_data.price_feeds')).toEqual({ count: 1 });
    await untilAlone();
  });

  it('ends on Ctrl-C with what it has sent stored, and loads the rest the next time', async () => {
    const { url, one, untilAlone } = await database();
    const total = 25_000; // five batches
    const row = (index: number) => `${new Date(1_522_800_000_000 + index * 100).toISOString()},${index},100,5,BUY`;
    const name = 'trades-binance-spot-btcusdt.csv';
    const path = folder({
      [name]: csv(
        TRADES,
        Array.from({ length: total }, (_, index) => row(index)),
      ),
    });
    const stored = async () => (await one('select count(*)::int from market_data.price_feeds')).count as number;

    const { child, ended } = start([path], { DATABASE_URL: url });
    while ((await stored()) === 0) await sleep(20);
    child.kill('SIGINT');
    const { code, out, err } = await ended;

    expect([code, err]).toEqual([130, '']);
    expect(out).toContain('stopped before its end; run again to load the rest');
    const kept = await stored();
    expect(kept).toBeLessThan(total);
    expect(out.replaceAll(',', '')).toContain(`${kept} trades stored`);
    await untilAlone();

    const again = await run([path], { DATABASE_URL: url });
    expect(again.out.replaceAll(',', '')).toContain(`${total - kept} trades stored ${kept} already there 0 refused`);
    expect(again.code).toBe(0);
  });
});
