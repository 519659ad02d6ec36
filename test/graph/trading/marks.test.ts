import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, now, OTHER_ACCOUNT, refused, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const at = (ms: number) => new Date(Date.now() + ms).toISOString();
const mark = (symbol: string, price: string, when = now()) => ({ symbol, price, at: when });
const COUNT = 'markedPositionCount';

async function held(strategyId: string, symbol: string) {
  const query = `query ($id: ID!, $symbol: String!) { position(strategyId: $id, symbol: $symbol) {
    currentPrice markedAt unrealizedPnl version } }`;
  return (await ask(graph, query, { id: strategyId, symbol })).position;
}

describe('markPositions', () => {
  it('re-marks a position from 50000 to 51000', async () => {
    const id = await strategy(graph, { symbols: ['AAA-USD'] });
    await trade(graph, id, '2', '50000', { symbol: 'AAA-USD' });
    const when = now();
    expect(await done(graph, 'markPositions', { marks: [mark('AAA-USD', '51000', when)] }, COUNT)).toEqual({
      markedPositionCount: 1,
    });
    const position = await held(id, 'AAA-USD');
    expect(position).toMatchObject({ currentPrice: '51000', unrealizedPnl: '2000' });
    expect(Date.parse(position.markedAt)).toBe(Date.parse(when));
  });

  it('marks every open position in the instrument, whoever holds it, and no other', async () => {
    const symbols = ['BBB-USD', 'CCC-USD'];
    const [one, two] = [
      await strategy(graph, { symbols }),
      await strategy(graph, { symbols, accountId: OTHER_ACCOUNT }),
    ];
    await trade(graph, one, '1', '10', { symbol: 'BBB-USD' });
    await trade(graph, two, '-1', '10', { symbol: 'BBB-USD' });
    await trade(graph, two, '1', '10', { symbol: 'CCC-USD' });
    const closed = await strategy(graph, { symbols });
    await trade(graph, closed, '1', '10', { symbol: 'BBB-USD' });
    await trade(graph, closed, '-1', '10', { symbol: 'BBB-USD' });
    expect(await done(graph, 'markPositions', { marks: [mark('bbb/usd', '12')] }, COUNT)).toEqual({
      markedPositionCount: 2,
    });
    expect(await held(one, 'BBB-USD')).toMatchObject({ unrealizedPnl: '2' });
    expect(await held(two, 'BBB-USD')).toMatchObject({ unrealizedPnl: '-2' });
    expect(await held(two, 'CCC-USD')).toMatchObject({ currentPrice: '10' });
  });

  it('ignores an older mark, and the same mark again', async () => {
    const id = await strategy(graph, { symbols: ['DDD-USD'] });
    await trade(graph, id, '1', '10', { symbol: 'DDD-USD' });
    const latest = mark('DDD-USD', '12');
    await done(graph, 'markPositions', { marks: [latest] });
    const before = await held(id, 'DDD-USD');
    for (const stale of [mark('DDD-USD', '9', at(-1_000)), latest]) {
      expect(await done(graph, 'markPositions', { marks: [stale] }, COUNT)).toEqual({ markedPositionCount: 0 });
    }
    expect(await held(id, 'DDD-USD')).toEqual(before);
  });

  it('takes the latest of several marks for one instrument, in whatever spelling', async () => {
    const id = await strategy(graph, { symbols: ['EEE-USD'] });
    await trade(graph, id, '1', '10', { symbol: 'EEE-USD' });
    const marks = [
      mark('EEE-USD', '13', at(30_000)),
      mark('EEE/USD', '12', at(20_000)),
      mark('EEEUSD', '11', at(10_000)),
    ];
    await done(graph, 'markPositions', { marks }, COUNT);
    expect(await held(id, 'EEE-USD')).toMatchObject({ currentPrice: '13' });
  });

  it('is marked by its own trades, unless a mark is later than the trade', async () => {
    const id = await strategy(graph, { symbols: ['FFF-USD'] });
    await trade(graph, id, '1', '10', { symbol: 'FFF-USD' });
    await trade(graph, id, '1', '11', { symbol: 'FFF-USD' });
    expect(await held(id, 'FFF-USD')).toMatchObject({ currentPrice: '11', unrealizedPnl: '1' });
    await done(graph, 'markPositions', { marks: [mark('FFF-USD', '20', at(30_000))] });
    await trade(graph, id, '-1', '12', { symbol: 'FFF-USD' });
    expect(await held(id, 'FFF-USD')).toMatchObject({ currentPrice: '20', unrealizedPnl: '9.5' });
    await trade(graph, id, '-3', '13', { symbol: 'FFF-USD' });
    expect(await held(id, 'FFF-USD')).toMatchObject({ currentPrice: '20', unrealizedPnl: '-14' });
  });

  it('moves the strategy’s unrealised P&L and leaves its version alone', async () => {
    const id = await strategy(graph, { symbols: ['GGG-USD', 'HHH-USD'] });
    await trade(graph, id, '1', '10', { symbol: 'GGG-USD' });
    await trade(graph, id, '-1', '10', { symbol: 'HHH-USD' });
    const query = 'query ($id: ID!) { strategy(id: $id) { version unrealizedPnl totalPnl } }';
    const before = (await ask(graph, query, { id })).strategy;
    await done(graph, 'markPositions', { marks: [mark('GGG-USD', '15'), mark('HHH-USD', '8')] });
    expect((await ask(graph, query, { id })).strategy).toEqual({ ...before, unrealizedPnl: '7', totalPnl: '7' });
  });

  it('marks nothing where nothing is held', async () => {
    expect(await done(graph, 'markPositions', { marks: [mark('ZZZ-USD', '1')] }, COUNT)).toEqual({
      markedPositionCount: 0,
    });
  });

  const bad: [string, object[], string, string[]][] = [
    ['no marks', [], 'marks must hold 1 to 1000 marks, but got 0.', ['input', 'marks']],
    [
      'too many marks',
      Array.from({ length: 1001 }, () => mark('BTC-USD', '1')),
      'marks must hold 1 to 1000 marks, but got 1001.',
      ['input', 'marks'],
    ],
    [
      'a price of zero',
      [mark('BTC-USD', '1'), mark('ETH-USD', '0')],
      'price must be above zero, but got 0.',
      ['input', 'marks', '1', 'price'],
    ],
    [
      'a negative price',
      [mark('BTC-USD', '-1')],
      'price must be above zero, but got -1.',
      ['input', 'marks', '0', 'price'],
    ],
    [
      'a symbol that is none',
      [mark('money', '1')],
      '"money" is not a symbol. Write BASE-QUOTE, for example BTC-USD.',
      ['input', 'marks', '0', 'symbol'],
    ],
    [
      'the future',
      [mark('BTC-USD', '1', '2999-01-01T00:00:00Z')],
      'at must not lie in the future, but got 2999-01-01T00:00:00Z.',
      ['input', 'marks', '0', 'at'],
    ],
  ];
  it.each(bad)('refuses %s', async (_, marks, message, path) => {
    expect(await refused(graph, 'markPositions', { marks })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message,
      path,
    });
  });
});
