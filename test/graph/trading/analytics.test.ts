/** Performance through the graph: what a window gained, how, and from what, checked against figures made by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { recordMarks, thinMarks } from '../../../subgraphs/trading/analytics/position-marks.ts';
import type { Context } from '../../../subgraphs/trading/context.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, execution, fault, now, order, refused, strategy, trade, UNCACHED } from './desk.ts';

let graph: TestGraph;
let context: Context;
beforeAll(async () => {
  graph = await startGraph();
  context = graph.subgraphs.get('trading')?.createContext({}) as Context;
});
afterAll(() => graph.close());

const account = (n: number) => `00000000-0000-4000-b000-${String(n).padStart(12, '0')}`;

const R1 =
  '0.010 -0.020 0.005 -0.035 0.012 -0.004 0.007 -0.011 0.003 -0.050 0.009 -0.015 0.001 0.020 -0.008 0.006 -0.002 0.004 -0.027 0.011';

const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();

/** A position whose P&L was written down at each midnight, from the first of January on. */
async function heldThrough(strategyId: string, pnl: readonly string[]): Promise<void> {
  await graph.sql(
    'trading',
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price, current_price,
            marked_at, opened_at)
     select 'held-' || strategy_id, strategy_id, account_id, 'BTC-USD', 1, 100, 100, '2025-12-31', '2025-12-31'
       from strategies where strategy_id = $1`,
    [strategyId],
  );
  await graph.sql(
    'trading',
    `insert into position_marks (position_id, at, price, realized_pnl, unrealized_pnl, grain)
     select 'held-' || $1, at, 100, 0, pnl, 2 from unnest($2::timestamptz[], $3::numeric[]) as given(at, pnl)`,
    [strategyId, pnl.map((_, n) => day(n)), pnl],
  );
}

describe('a report', () => {
  it('follows the vector R1 of domain.md §12.5', async () => {
    const id = await strategy(graph);
    await graph.sql('trading', 'update strategies set capital = 1000000 where strategy_id = $1', [id]);
    let equity = dec(1_000_000);
    const pnl = ['0'];
    for (const daily of R1.split(' ')) {
      equity = round8(equity.times(dec(daily).plus(1)));
      pnl.push(equity.minus(1_000_000).toFixed());
    }
    await heldThrough(id, pnl);
    const window = `from: "${day(0)}", to: "${day(20)}"`;
    const { strategy: of } = await ask(
      graph,
      `query ($id: ID!) { strategy(id: $id) { capital
        performance(${window}) { from to capital periodsPerYear startEquity endEquity totalReturn meanReturn volatility
          sharpeRatio sortinoRatio maxDrawdown maxDrawdownAmount pnl realizedPnl unrealizedPnlChange dailyPnl { date pnl } }
        trading: performance(${window}, periodsPerYear: 252) { sharpeRatio }
        larger: performance(${window}, capital: "2000000") { startEquity } } }`,
      { id },
    );
    const { performance } = of;
    const places = (text: string, digits: number) => dec(text).toFixed(digits);
    expect(of.capital).toBe('1000000');
    expect(performance).toMatchObject({ capital: '1000000', periodsPerYear: 365, startEquity: '1000000' });
    expect(places(performance.meanReturn, 6)).toBe('-0.004200');
    expect(places(performance.volatility, 8)).toBe('0.01764146');
    expect(places(performance.sharpeRatio, 4)).toBe('-4.5484');
    expect(places(of.trading.sharpeRatio, 4)).toBe('-3.7793');
    expect(performance.endEquity).toBe(equity.toFixed());
    expect(performance.pnl).toBe(pnl.at(-1));
    expect(performance).toMatchObject({ realizedPnl: '0', unrealizedPnlChange: pnl.at(-1) });
    expect(performance.dailyPnl).toHaveLength(20);
    expect(performance.dailyPnl[0]).toEqual({ date: '2026-01-01', pnl: '10000' });
    expect(of.larger.startEquity).toBe('2000000');
  });

  it('falls as the vector R2, and its daily P&L adds up', async () => {
    const id = await strategy(graph);
    await heldThrough(id, ['0', '10', '5', '20', '-10', '-4', '30', '17']);
    const { performance } = await ask(
      graph,
      `query ($id: ID!) { performance(strategyId: $id, from: "${day(0)}", to: "${day(7)}", capital: "100") {
        maxDrawdown maxDrawdownAmount totalReturn pnl dailyPnl { pnl tradeCount } } }`,
      { id },
    );
    expect(performance).toMatchObject({ maxDrawdown: '0.25', maxDrawdownAmount: '30', totalReturn: '0.17', pnl: '17' });
    const daily = performance.dailyPnl.map((of: { pnl: string }) => of.pnl);
    expect(daily).toEqual(['10', '-5', '15', '-30', '6', '34', '-13']);
  });

  it('has no ratio of equity without a capital, and all the rest', async () => {
    const id = await strategy(graph);
    const { performance } = await ask(
      graph,
      `query ($id: ID!) { performance(strategyId: $id) { capital startEquity totalReturn sharpeRatio sortinoRatio maxDrawdown
        maxDrawdownAmount pnl winRate profitFactor expectancy closedPositionCount byStrategy { pnl } } }`,
      { id },
    );
    expect(performance).toEqual({
      capital: null,
      startEquity: null,
      totalReturn: null,
      sharpeRatio: null,
      sortinoRatio: null,
      maxDrawdown: null,
      maxDrawdownAmount: '0',
      pnl: '0',
      winRate: null,
      profitFactor: null,
      expectancy: null,
      closedPositionCount: 0,
      byStrategy: [],
    });
    expect(await ask(graph, '{ performance(strategyId: "none") { pnl } }')).toEqual({ performance: null });
  });
});

interface ShareData {
  pnl: string;
  realizedPnl: string;
  volume: string;
  isRest: boolean;
}

describe('the shares of a report', () => {
  const SHARE = 'isRest pnl realizedPnl unrealizedPnlChange tradeCount volume commission';
  const REPORT = `{ pnl realizedPnl unrealizedPnlChange tradeCount volume commission closedPositionCount
    winningPositionCount losingPositionCount winRate profitFactor expectancy averageWin averageLoss endEquity
    dailyPnl { pnl realizedPnl tradeCount }
    byStrategy { ${SHARE} strategy { strategyId } instrument { symbol } }
    byInstrument { ${SHARE} buyVwap sellVwap instrument { symbol } }
    largest: byStrategy(limit: 1) { ${SHARE} } }`;
  const sum = (shares: ShareData[], field: 'pnl' | 'realizedPnl' | 'volume') =>
    Decimal.sum(0, ...shares.map((share) => share[field])).toFixed();

  it('add up to it to the last digit, and it to the portfolio; archiving moves nothing', async () => {
    const accountId = account(1);
    const ids = [];
    for (const capital of ['1000', null, '500.5']) {
      const id = await strategy(graph, { accountId, symbols: ['BTC-USD', 'ETH-USD'] });
      if (capital)
        await graph.sql('trading', 'update strategies set capital = $2 where strategy_id = $1', [id, capital]);
      ids.push(id);
    }
    const [one, two, three] = ids as [string, string, string];
    // Thirds do not come out even: averages are rounded, and the parts must add up all the same.
    await trade(graph, one, '0.3', '33.33333333', { commission: '0.00000001' });
    await trade(graph, one, '0.7', '44.44444444', { commission: '0.1' });
    await trade(graph, one, '-0.9', '55.55555555', { commission: '0.2' });
    await trade(graph, one, '1.1', '9.99999999', { symbol: 'ETH-USD' });
    await trade(graph, two, '-0.12345678', '77.77777777', { symbol: 'ETH-USD' });
    await trade(graph, two, '0.12345678', '88.88888888', { symbol: 'ETH-USD' });
    await trade(graph, three, '3', '10');
    await trade(graph, three, '-3', '12', { commission: '1' });
    await trade(graph, three, '2', '10', { symbol: 'ETH-USD' });
    await trade(graph, three, '-5', '11.11111111', { symbol: 'ETH-USD' }); // a flip
    const marks = [
      { symbol: 'BTC-USD', price: '66.66666667', at: now() },
      { symbol: 'ETH-USD', price: '12.34567891', at: now() },
    ];
    await done(graph, 'markPositions', { marks });

    const query = `query ($id: ID!) { portfolio(accountId: $id) { totalPnl totalRealizedPnl totalUnrealizedPnl capital
      performance ${REPORT} equityCurve(resolution: DAY) { at realizedPnl unrealizedPnl pnl equity } } }`;
    const read = async () => (await ask(graph, query, { id: accountId }, UNCACHED)).portfolio;
    const portfolio = await read();
    const { performance: report, equityCurve } = portfolio;
    for (const shares of [report.byStrategy, report.byInstrument, report.largest]) {
      for (const field of ['pnl', 'realizedPnl', 'volume'] as const) expect(sum(shares, field)).toBe(report[field]);
    }
    expect(report.pnl).toBe(portfolio.totalPnl);
    expect(report.realizedPnl).toBe(portfolio.totalRealizedPnl);
    expect(report.unrealizedPnlChange).toBe(portfolio.totalUnrealizedPnl);
    expect(portfolio.capital).toBe('1500.5');
    expect(report.endEquity).toBe(dec('1500.5').plus(report.pnl).toFixed());
    expect(equityCurve.at(-1)).toMatchObject({
      realizedPnl: portfolio.totalRealizedPnl,
      unrealizedPnl: portfolio.totalUnrealizedPnl,
      equity: report.endEquity,
    });
    expect(equityCurve[0]).toMatchObject({ pnl: '0', equity: '1500.5' });
    expect(sum(report.dailyPnl, 'pnl')).toBe(report.pnl);
    expect(sum(report.dailyPnl, 'realizedPnl')).toBe(report.realizedPnl);
    expect(report.largest.map(({ isRest }: ShareData) => isRest)).toEqual([false, true]);
    // Closed: two's short −1.371742 (lost), three's BTC 5 (won), three's ETH long 2.22222222 (won).
    expect(report).toMatchObject({
      tradeCount: 10,
      commission: '1.30000001',
      closedPositionCount: 3,
      winningPositionCount: 2,
      losingPositionCount: 1,
      winRate: '0.66666667',
      averageWin: '3.61111111',
      averageLoss: '-1.371742',
    });
    expect(report.byStrategy.map((of: { instrument: null }) => of.instrument)).toEqual([null, null, null]);
    const ether = report.byInstrument.find(
      (of: { instrument: { symbol: string } }) => of.instrument.symbol === 'ETH-USD',
    );
    const bought = dec('1.1').times('9.99999999').plus(dec('0.12345678').times('88.88888888')).plus(20);
    expect(ether.buyVwap).toBe(round8(bought.div('3.22345678')).toFixed());

    await graph.sql('trading', `update orders set status = status where account_id = $1`, [accountId]);
    await graph.sql(
      'trading',
      `with moved as (select move_to_archive('trades', 'trade_id', array(select trade_id from trades where account_id = $1)) as n)
       select move_to_archive('orders', 'order_id', array(select order_id from orders where account_id = $1)) from moved`,
      [accountId],
    );
    await graph.sql(
      'trading',
      `select move_to_archive('positions', 'position_id', array(
         select position_id from positions where account_id = $1 and closed_at is not null))`,
      [accountId],
    );
    const untimed = (of: { equityCurve: { at: string }[] }) => ({
      ...of,
      equityCurve: of.equityCurve.map(({ at: _, ...point }) => point),
    });
    expect(untimed(await read())).toEqual(untimed(portfolio));
  });

  it('cost as many statements for thirty strategies as for three', async () => {
    const accountId = account(2);
    await graph.sql(
      'trading',
      `insert into strategies (strategy_id, name, strategy_type, account_id, instruments, capital)
       select 'cost-' || n, 'cost', 'custom', $1, '{BTC-USD}', 100 from generate_series(10, 39) as n`,
      [accountId],
    );
    const query = `query ($id: ID!, $first: Int!) { portfolio(accountId: $id) { strategies(first: $first) { nodes { strategyId
      performance ${REPORT} equityCurve(resolution: DAY) { equity } } } } }`;
    const cost = async (first: number) => {
      const costs = [];
      for (let time = 0; time < 3; time++) {
        const before = graph.statements();
        const { portfolio } = await ask(graph, query, { id: accountId, first }, UNCACHED);
        expect(portfolio.strategies.nodes).toHaveLength(first);
        costs.push(graph.statements() - before);
      }
      return Math.min(...costs);
    };
    expect(await cost(30)).toBe(await cost(3));
  });
});

describe('an equity curve', () => {
  it('moves what is closed from unrealised to realised P&L without a step', async () => {
    const id = await strategy(graph);
    await graph.sql(
      'trading',
      `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price, realized_pnl,
              current_price, marked_at, opened_at, closed_at)
       select 'closed-' || n, $1, account_id, 'BTC-USD', 0, 100, n * 10, 100, '2026-01-01', '2026-01-01T00:00:00Z',
              '2026-01-01T00:02:30Z' from strategies, generate_series(1, 2) as n where strategy_id = $1`,
      [id],
    );
    await graph.sql(
      'trading',
      `insert into position_marks (position_id, at, price, realized_pnl, unrealized_pnl, grain) values
         ('closed-1', '2026-01-01T00:01:00Z', 100, -1, 8, 2), ('closed-1', '2026-01-01T00:02:00Z', 100, 4, 6, 0),
         ('closed-2', '2026-01-01T00:02:00Z', 100, 0, 20, 2)`,
    );
    const { equityCurve } = await ask(
      graph,
      `query ($id: ID!) { equityCurve(strategyId: $id, capital: "100", from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:04:30Z",
        resolution: MINUTE) { at realizedPnl unrealizedPnl pnl equity } }`,
      { id },
    );
    const minutes = equityCurve.map(({ at, ...point }: { at: string }) => [at.slice(14, 19), ...Object.values(point)]);
    expect(minutes).toEqual([
      ['00:00', '0', '0', '0', '100'],
      ['01:00', '-1', '8', '7', '107'],
      ['02:00', '4', '26', '30', '130'],
      ['03:00', '30', '0', '30', '130'],
      ['04:00', '30', '0', '30', '130'],
      ['04:30', '30', '0', '30', '130'],
    ]);
    const { tradingPosition } = await ask(
      graph,
      `{ tradingPosition(id: "closed-1") { pnlCurve(from: "2026-01-01T00:00:00Z", to: "2026-01-01T00:03:00Z", resolution: MINUTE) {
        pnl equity } } }`,
    );
    expect(tradingPosition.pnlCurve).toEqual(['0', '7', '10', '10'].map((pnl) => ({ pnl, equity: null })));
  });

  const wrong: [string, string][] = [
    [
      'performance(strategyId: $id, from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z") { pnl }',
      'from must be before to',
    ],
    ['performance(strategyId: $id, from: "2999-01-01T00:00:00Z") { pnl }', 'and before now'],
    ['performance(strategyId: $id, from: "0001-01-01T00:00:00Z") { pnl }', 'at most 1500 are given'],
    ['performance(strategyId: $id, capital: "0") { pnl }', 'capital must be above zero, but got 0.'],
    ['performance(strategyId: $id, periodsPerYear: 0) { pnl }', 'periodsPerYear must be from 1'],
    ['performance(strategyId: $id) { byStrategy(limit: 501) { pnl } }', 'limit must be from 1 to 500, but got 501.'],
    [
      'equityCurve(strategyId: $id, from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", resolution: MINUTE) { at }',
      'coarser',
    ],
    ['equityCurve(strategyId: $id, accountId: $id) { at }', 'Exactly one of strategyId and accountId'],
    ['equityCurve { at }', 'Exactly one of strategyId and accountId'],
    ['largestPositions(limit: 0) { exposure }', 'limit must be from 1 to 500, but got 0.'],
  ];
  it.each(wrong)('refuses %s', async (field, message) => {
    const id = await strategy(graph);
    const unused = field.includes('$id') ? 'query ($id: ID!)' : 'query';
    expect(await fault(graph, `${unused} { ${field} }`, field.includes('$id') ? { id } : {})).toEqual({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(message),
    });
  });
});

describe('what positions were worth', () => {
  const marksOf = (id: string) =>
    graph.sql(
      'trading',
      `select to_char(at at time zone 'UTC', 'DD HH24:MI') as at, marks.unrealized_pnl::float as pnl, grain
         from position_marks as marks join positions using (position_id) where strategy_id = $1 and at >= '2030-01-01' order by 1`,
      [id],
    );
  const write = (at: string, price: string) =>
    recordMarks(context.db, new Map([['BTC-USD', { price, at: '2029-12-31T00:00:00Z' }]]), new Date(at));

  it('is written once a minute where it has moved, whichever processes write it', async () => {
    const id = await strategy(graph);
    await trade(graph, id, '2', '100');
    await Promise.all(['101', '101', '101'].map((price) => write('2030-01-01T10:01:07Z', price)));
    await write('2030-01-01T10:02:07Z', '101');
    await write('2030-01-01T10:03:07Z', '99');
    expect(await marksOf(id)).toEqual([
      { at: '01 10:01', pnl: 2, grain: 2 },
      { at: '01 10:03', pnl: -2, grain: 0 },
    ]);
  });

  it('tells the hours and the days by themselves, and of what is old these alone', async () => {
    const id = await strategy(graph);
    await trade(graph, id, '1', '100');
    await write('2030-01-01T10:59:00Z', '110'); // the first of all
    await write('2030-01-01T11:00:00Z', '110'); // nothing new for the hours
    await write('2030-01-01T11:05:00Z', '111'); // the first that the eleventh hour has to tell
    await write('2030-01-01T11:06:00Z', '112');
    await write('2030-01-01T12:00:00Z', '112'); // the hours do not know it yet
    await write('2030-01-02T00:00:00Z', '112');
    await write('2030-01-02T00:01:00Z', '113');
    const all = await marksOf(id);
    expect(all).toEqual([
      { at: '01 10:59', pnl: 10, grain: 2 },
      { at: '01 11:05', pnl: 11, grain: 1 },
      { at: '01 11:06', pnl: 12, grain: 0 },
      { at: '01 12:00', pnl: 12, grain: 1 },
      { at: '02 00:00', pnl: 12, grain: 2 },
      { at: '02 00:01', pnl: 13, grain: 0 },
    ]);
    await thinMarks(context.db, new Date('2030-01-08T12:00:00Z'));
    expect(await marksOf(id)).toEqual(all.filter(({ at, grain }) => grain > 0 || at > '01 13'));
    await thinMarks(context.db, new Date('2030-05-01T00:00:00Z'));
    expect(await marksOf(id)).toEqual(all.filter(({ grain }) => grain === 2));
  });
});

describe('an order', () => {
  it('is measured against what the market last paid when it was placed', async () => {
    await graph.run(
      'mutation ($input: CreateInstrumentInput!) { createInstrument(input: $input) { errors { message } } }',
      {
        input: { symbol: 'SOL-USD' },
      },
    );
    const prices = [{ symbol: 'SOL-USD', source: 'test', price: '50000', timestamp: now() }];
    await graph.run('mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { errors { message } } }', {
      input: { prices },
    });
    const id = await strategy(graph, { symbols: ['SOL-USD', 'XRP-USD'] });
    const orderId = await order(graph, id, { symbol: 'SOL-USD', quantity: '1' });
    for (const [quantity, price] of [
      ['0.5', '50000'],
      ['0.3', '50100'],
      ['0.2', '49950'],
    ] as const) {
      await done(graph, 'recordFill', execution(orderId, quantity, price));
    }
    const selection = 'tradingOrder(id: $id) { referencePrice slippageBps averageFillPrice }';
    const read = (orderId: string) =>
      ask(graph, `query ($id: ID!) { ${selection} slippage(orderId: $id) }`, { id: orderId });
    expect(await read(orderId)).toEqual({
      tradingOrder: { referencePrice: '50000', slippageBps: '4', averageFillPrice: '50020' },
      slippage: '4',
    });
    const sale = await order(graph, id, { symbol: 'SOL-USD', side: 'SELL', quantity: '1' });
    expect(await read(sale)).toMatchObject({ tradingOrder: { slippageBps: null }, slippage: null });
    await done(graph, 'recordFill', execution(sale, '1', '49999'));
    expect(await read(sale)).toMatchObject({ slippage: '0.2' });
    const unknown = await order(graph, id, { symbol: 'XRP-USD', status: 'PENDING' });
    expect(await read(unknown)).toMatchObject({ tradingOrder: { referencePrice: null }, slippage: null });
  });
});

describe('capital', () => {
  it('is above zero, and may be set and forgotten', async () => {
    const id = await strategy(graph, { status: 'inactive' });
    const configure = { strategyId: id, expectedVersion: 1 };
    expect((await refused(graph, 'configureStrategy', { ...configure, capital: '-1' })).message).toContain(
      'above zero',
    );
    const set = await done(
      graph,
      'configureStrategy',
      { ...configure, capital: '10.5' },
      'strategy { capital version }',
    );
    expect(set.strategy.capital).toBe('10.5');
    const again = { ...configure, expectedVersion: set.strategy.version, capital: null };
    expect((await done(graph, 'configureStrategy', again, 'strategy { capital }')).strategy.capital).toBeNull();
  });
});
