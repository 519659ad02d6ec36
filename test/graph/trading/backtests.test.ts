/** Backtests through the graph: over stored bars, the same every time, whatever becomes of the processes that do them. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { Tally } from '../../../subgraphs/trading/backtests/rules/result.ts';
import { storeResult } from '../../../subgraphs/trading/backtests/store-result.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ask, done, refused, strategy } from './desk.ts';

let graph: TestGraph;
/** The same graph in what could be another process. */
let other: TestGraph;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await copyTemplate(inject('adminUrl'));
  drop = database.drop;
  graph = await startGraph({ databaseUrl: database.url });
  other = await startGraph({ databaseUrl: database.url });
  for (const [symbol, count] of [
    ['BTC-USD', 1_300],
    ['ETH-USD', 900],
  ] as const) {
    await done(graph, 'createInstrument', { symbol });
    await done(graph, 'ingestCandles', { candles: walk(symbol, count) }, 'inserted');
  }
});
afterAll(async () => {
  await Promise.all([graph.close(), other.close()]);
  await drop();
});

const FROM = Date.UTC(2026, 0, 1);

/** Hourly bars of a price that wanders, the same every time; every fiftieth is missing. */
function walk(symbol: string, count: number) {
  let [state, price] = [symbol.length * 7919 + count, 1_000];
  const move = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 65_536) % 41;
  };
  return Array.from({ length: count }, (_, n) => {
    const open = price;
    price = Math.max(100, price + move() - 20);
    const [high, low] = [Math.max(open, price) + 3, Math.min(open, price) - 3];
    const startTime = new Date(FROM + n * 3_600_000).toISOString();
    const prices = { open: `${open}.5`, high: `${high}.5`, low: `${low}.5`, close: `${price}.5` };
    return { symbol, interval: 'H1', startTime, ...prices, volume: '1' };
  }).filter((_, n) => n % 50 !== 49);
}

const WINDOW = { interval: 'H1', from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' };
const TREND = {
  ...WINDOW,
  type: 'TREND_FOLLOWING',
  symbols: ['BTC-USD'],
  parameters: { fastPeriod: 5, slowPeriod: 20 },
};

const METRICS = `metrics { totalReturn realizedPnl unrealizedPnl volatility sharpeRatio sortinoRatio maxDrawdown tradeCount volume
  commission closedPositionCount winRate profitFactor expectancy barCount }`;
const CHANGES = /* GraphQL */ `
  subscription ($runId: ID!) { backtestChanges(runId: $runId) { kind cursor at backtest { status progress attempts } } }
`;

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

async function ended(runId: string): Promise<Data> {
  const watcher = watch(graph.client, 'backtestChanges', CHANGES, { runId });
  const { backtest } = await watcher.until((told) => ['COMPLETED', 'FAILED'].includes(told.backtest?.status));
  await watcher.leave();
  return backtest;
}

async function result(runId: string): Promise<Data> {
  const { backtest } = await ask(
    graph,
    `query ($id: ID!) { backtest(id: $id) { status progress errorMessage finalEquity initialCapital barCount ${METRICS}
      trades(first: 500) { nodes { number side quantity price commission realizedPnl decidedAt executedAt instrument { symbol } } totalCount }
      equityCurve(first: 500) { nodes { at equity } totalCount pageInfo { hasNextPage endCursor } } } }`,
    { id: runId },
  );
  return backtest;
}

async function completed(input: object): Promise<Data> {
  const { backtest } = await done(graph, 'startBacktest', input, 'backtest { runId status }');
  expect(await ended(backtest.runId)).toMatchObject({ status: 'COMPLETED', progress: '1' });
  return result(backtest.runId);
}

describe('a backtest', () => {
  it('trades stored bars: each trade at the next bar’s open, the P&L adding up', async () => {
    const run = await completed({ ...TREND, runId: 'trend', slippageBps: '10', feeRate: '0.002' });
    expect(run).toMatchObject({ status: 'COMPLETED', errorMessage: null, barCount: 1_274, initialCapital: '10000' });
    const trades: Data[] = run.trades.nodes;
    expect(trades.length).toBeGreaterThan(10);
    expect(trades.map(({ number }) => number)).toEqual(trades.map((_, n) => n + 1));
    expect(run.trades.totalCount).toBe(run.metrics.tradeCount);
    const bars = new Map(walk('BTC-USD', 1_300).map((bar) => [Date.parse(bar.startTime), bar]));
    for (const { side, price, decidedAt, executedAt } of trades) {
      const bar = bars.get(Date.parse(executedAt));
      expect(price).toBe(
        dec(bar?.open ?? 0)
          .times(side === 'BUY' ? '1.001' : '0.999')
          .toFixed(),
      );
      expect(bars.has(Date.parse(decidedAt) - 3_600_000)).toBe(true); // the bar that ended then
      expect(Date.parse(executedAt) - Date.parse(decidedAt)).toBeGreaterThanOrEqual(0);
    }
    const realized = trades.reduce((sum, trade) => sum.plus(trade.realizedPnl), dec(0));
    expect(run.metrics.realizedPnl).toBe(realized.toFixed());
    const gained = dec(run.finalEquity).minus(10_000);
    expect(gained.minus(realized).minus(run.metrics.unrealizedPnl).abs().lt('0.00001')).toBe(true);
    expect(run.metrics.totalReturn).toBe(gained.div(10_000).toDecimalPlaces(8).toFixed());

    expect(run.equityCurve.totalCount).toBe(1_274);
    const { pageInfo, nodes } = run.equityCurve;
    expect(nodes[0]).toEqual({ at: '2026-01-01T01:00:00Z', equity: '10000' });
    const rest = await ask(
      graph,
      `query ($after: String!) { backtest(id: "trend") { equityCurve(first: 500, after: $after) { nodes { at } pageInfo { hasNextPage } } } }`,
      { after: pageInfo.endCursor },
    );
    expect(rest.backtest.equityCurve.nodes[0].at > nodes.at(-1).at).toBe(true);
    expect(rest.backtest.equityCurve.pageInfo.hasNextPage).toBe(true);
  });

  it('gives the same again, of every kind, also where its process was killed in the middle', async () => {
    const kinds = [
      { type: 'TREND_FOLLOWING', parameters: { fastPeriod: 5, slowPeriod: 20, allowShort: true } },
      { type: 'MEAN_REVERSION', parameters: { period: 12, entryZ: '1.5', exitZ: '0.25', allocation: '0.5' } },
      { type: 'MOMENTUM', parameters: { entryPeriod: 24, exitPeriod: 12 } },
    ];
    const firsts = new Map<string, Data>();
    for (const kind of kinds) {
      const input = { ...WINDOW, ...kind, symbols: ['BTC-USD', 'eth/usd'], initialCapital: '1000.00000001' };
      const first = await completed(input);
      expect(first.metrics.tradeCount).toBeGreaterThan(2);
      expect(new Set(first.trades.nodes.map((trade: Data) => trade.instrument.symbol)).size).toBe(2);
      // As a killed process leaves it: running, half done, and its claim lapsed.
      await graph.sql(
        'trading',
        `insert into backtest_runs (run_id, strategy_type, parameters, symbols, "interval", from_time, to_time, initial_capital,
                fee_rate, slippage_bps, status, bar_count, bars_done, attempts, claimed_by, claimed_until, started_at)
         select 'killed-' || strategy_type, strategy_type, parameters, symbols, "interval", from_time, to_time, initial_capital,
                fee_rate, slippage_bps, 'running', bar_count, 500, 1, 'killed', now() - interval '1 second', now()
           from backtest_runs where strategy_type = $1 and initial_capital = 1000.00000001`,
        [kind.type.toLowerCase()],
      );
      firsts.set(`killed-${kind.type.toLowerCase()}`, first);
    }
    for (const [runId, first] of firsts) {
      expect(await ended(runId)).toMatchObject({ status: 'COMPLETED', attempts: 2 });
      expect(await result(runId)).toEqual(first);
    }
  });

  it('is done by one process, however many look for it', async () => {
    const runIds = Array.from({ length: 8 }, (_, n) => `shared-${n}`);
    await Promise.all(runIds.map((runId) => done(graph, 'startBacktest', { ...TREND, runId }, 'backtest { status }')));
    const states = await Promise.all(runIds.map(ended));
    expect(states).toEqual(runIds.map(() => ({ status: 'COMPLETED', progress: '1', attempts: 1 })));
    const [first, ...others] = await Promise.all(runIds.map(result));
    for (const each of others) expect(each).toEqual(first);
  });

  it('of a process that was only slow writes nothing once another has taken it', async () => {
    const { db } = (graph.subgraphs.get('trading') as Subgraph).createContext({});
    await graph.sql(
      'trading',
      `insert into backtest_runs (run_id, strategy_type, parameters, symbols, "interval", from_time, to_time, initial_capital,
              fee_rate, slippage_bps, status, claimed_by, claimed_until)
       values ('taken', 'momentum', '{}', '{BTC-USD}', 'h1', '2026-01-01', '2026-01-02', 1, 0, 0, 'running', 'the other',
               now() + interval '1 hour')`,
    );
    const tally = new Tally(dec(1));
    tally.add({ at: FROM, equity: dec(2) }, 1, []);
    const metrics = tally.metrics([], dec(0));
    const held = (by: string) => sql`run_id = 'taken' and status = 'running' and claimed_by = ${by}`;
    expect(await storeResult(db, held('the slow one'), 'taken', tally, metrics)).toBe(false);
    expect(await graph.sql('trading', `select count(*)::int as n from backtest_points where run_id = 'taken'`)).toEqual(
      [{ n: 0 }],
    );

    const cancelled = await done(
      graph,
      'cancelBacktest',
      { runId: 'taken' },
      'backtest { status finishedAt finalEquity }',
    );
    expect(cancelled.backtest).toEqual({ status: 'CANCELLED', finishedAt: expect.any(String), finalEquity: null });
    expect(await storeResult(db, held('the other'), 'taken', tally, metrics)).toBe(false);
    expect(await refused(graph, 'cancelBacktest', { runId: 'taken' })).toMatchObject({
      __typename: 'InvalidTransition',
    });
    expect(await refused(graph, 'cancelBacktest', { runId: 'none' })).toMatchObject({ entity: 'BacktestRun' });
  });

  it('tells how it goes: as it is, and when it ends', async () => {
    const { backtest } = await done(graph, 'startBacktest', TREND, 'backtest { runId status progress }');
    const watcher = watch(other.client, 'backtestChanges', CHANGES, { runId: backtest.runId });
    await watcher.until((told) => told.backtest?.status === 'COMPLETED');
    expect(watcher.all[0]).toMatchObject({ kind: 'SNAPSHOT' });
    await watcher.leave();
  });

  it('fails with a reason where there are no bars, and is given up after five attempts', async () => {
    const empty = { ...TREND, from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z', runId: 'empty' };
    await done(graph, 'startBacktest', empty, 'backtest { runId }');
    await ended('empty');
    expect((await result('empty')).errorMessage).toBe('There is no closed bar of its symbols in its window.');
    await graph.sql(
      'trading',
      `insert into backtest_runs (run_id, strategy_type, parameters, symbols, "interval", from_time, to_time, initial_capital,
              fee_rate, slippage_bps, attempts) values
         ('deadly', 'momentum', '{}', '{BTC-USD}', 'h1', '2026-01-01', '2026-01-02', 1, 0, 0, 5)`,
    );
    await ended('deadly');
    expect((await result('deadly')).errorMessage).toBe('It was given up after 5 attempts.');
  });

  it('takes what a strategy is set to, and stays when that is deleted', async () => {
    const id = await strategy(graph, {
      strategyId: 'tested',
      type: 'momentum',
      status: 'inactive',
      symbols: ['ETH-USD'],
    });
    await graph.sql(
      'trading',
      `update strategies set parameters = '{"entryPeriod": 30, "desk": "north"}' where strategy_id = $1`,
      [id],
    );
    const input = {
      ...WINDOW,
      strategyId: id,
      parameters: { exitPeriod: 7 },
      runId: 'of-strategy',
      idempotencyKey: 'once',
    };
    const { backtest } = await done(
      graph,
      'startBacktest',
      input,
      'backtest { type parameters strategy { strategyId } instruments { symbol } interval feeRate slippageBps }',
    );
    expect(backtest).toEqual({
      type: 'MOMENTUM',
      parameters: { entryPeriod: 30, exitPeriod: 7, allowShort: false, allocation: '1' },
      strategy: { strategyId: id },
      instruments: [{ symbol: 'ETH-USD' }],
      interval: 'H1',
      feeRate: '0.001',
      slippageBps: '5',
    });
    expect(await done(graph, 'startBacktest', input, 'backtest { runId }')).toEqual({
      backtest: { runId: 'of-strategy' },
    });
    expect(await refused(graph, 'startBacktest', { ...input, idempotencyKey: 'twice' })).toMatchObject({
      __typename: 'Conflict',
    });
    await ended('of-strategy');
    const lists = await ask(
      graph,
      `{ strategy(id: "tested") { backtests { nodes { runId status } totalCount } }
         backtests(filter: { strategyId: "tested", status: COMPLETED }) { totalCount } }`,
    );
    expect(lists).toEqual({
      strategy: { backtests: { nodes: [{ runId: 'of-strategy', status: 'COMPLETED' }], totalCount: 1 } },
      backtests: { totalCount: 1 },
    });
    await done(graph, 'deleteStrategy', { strategyId: id });
    expect(await ask(graph, '{ backtest(id: "of-strategy") { status strategy { name } } }')).toEqual({
      backtest: { status: 'COMPLETED', strategy: null },
    });
  });
});

describe('startBacktest refuses', () => {
  const bad: [string, object, string][] = [
    ['a kind it does not know', { type: 'ARBITRAGE' }, 'A backtest knows TREND_FOLLOWING, MEAN_REVERSION and MOMENTUM'],
    ['no kind', { type: null }, 'type must be given where strategyId is not.'],
    ['a parameter it does not know', { parameters: { fast: 1 } }, 'but got "fast"'],
    ['no symbols', { symbols: [] }, 'symbols must name 1 to 10 instruments, but got 0.'],
    ['a symbol that market data does not know', { symbols: ['XRP-USD'] }, 'There is no Instrument with id "XRP-USD".'],
    ['a strategy that is not there', { strategyId: 'none' }, 'There is no Strategy with id "none".'],
    ['too many bars', { interval: 'M1', from: '2020-01-01T00:00:00Z' }, 'a run covers at most 200000'],
    ['a window that ends before it begins', { to: '2025-01-01T00:00:00Z' }, 'from must be before to.'],
    ['no capital', { initialCapital: '0' }, 'initialCapital must be above zero, but got 0.'],
    ['a fee above 10 %', { feeRate: '0.11' }, 'feeRate must be from 0 to 0.1, but got 0.11.'],
    ['a negative slippage', { slippageBps: '-0.1' }, 'slippageBps must be from 0 to 1000, but got -0.1.'],
    ['an empty id', { runId: '' }, 'runId must have 1 to 255 characters, but got 0.'],
  ];
  it.each(bad)('%s', async (_, more, message) => {
    expect((await refused(graph, 'startBacktest', { ...TREND, ...more })).message).toContain(message);
  });
});
