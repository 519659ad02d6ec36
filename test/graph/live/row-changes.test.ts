/** Subscriptions to rows, through the gateway: what is told, in which order, and how a client comes back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type Told, watch } from '../../support/watch.ts';
import { addPosition, addStrategy, FUND, OTHER, setQuantity } from './desk.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph();
});

afterAll(() => graph.close());

beforeEach(async () => {
  await graph.sql('trading', 'delete from positions');
  await graph.sql('trading', 'delete from strategies');
  await addStrategy(graph, 's1');
  await addStrategy(graph, 's2', OTHER);
});

const POSITIONS = /* GraphQL */ `
  subscription ($accountId: ID, $strategyId: ID, $symbols: [String!], $after: String) {
    positionChanges(accountId: $accountId, strategyId: $strategyId, symbols: $symbols, after: $after) {
      kind cursor at
      position { positionId quantity version isOpen account { accountId } }
    }
  }
`;

const positions = (variables: object = {}) => watch(graph.client, 'positionChanges', POSITIONS, variables);
const brief = ({ kind, position }: Told) => [kind, position?.positionId, position?.quantity];

describe('a subscription to positions', () => {
  it('begins with what there is, says when that is whole, and goes on with what changes', async () => {
    await addPosition(graph, 'p1');
    await addPosition(graph, 'p2', { symbol: 'ETH-USD' });
    await addPosition(graph, 'other', { strategyId: 's2', accountId: OTHER });
    const watcher = positions({ accountId: FUND });
    await watcher.begun();
    expect(watcher.all.map(brief)).toEqual([
      ['SNAPSHOT', 'p1', '1'],
      ['SNAPSHOT', 'p2', '1'],
      ['PROGRESS', undefined, undefined],
    ]);
    await setQuantity(graph, 'other', '7');
    await setQuantity(graph, 'p1', '2.5');
    const told = await watcher.until(({ kind }) => kind === 'UPSERT');
    expect(told.position).toEqual({
      positionId: 'p1',
      quantity: '2.5',
      version: 2,
      isOpen: true,
      account: { accountId: FUND },
    });
    await graph.sql('trading', `delete from positions where position_id = 'p2'`);
    const gone = await watcher.until(({ kind }) => kind === 'DELETE');
    expect(brief(gone)).toEqual(['DELETE', 'p2', '1']);
    await watcher.leave();
  });

  it('says that it lives while nothing happens', async () => {
    const watcher = positions();
    const first = await watcher.begun();
    const second = await watcher.until(({ kind, at }) => kind === 'PROGRESS' && at > first.at);
    expect(Date.parse(second.at) - Date.parse(first.at)).toBeLessThan(5_000);
    await watcher.leave();
  });

  it('goes on after a cursor with exactly what followed', async () => {
    await addPosition(graph, 'p1');
    const first = positions({ accountId: FUND });
    await first.begun();
    await setQuantity(graph, 'p1', '2');
    const { cursor } = await first.until(({ kind }) => kind === 'UPSERT');
    await first.leave();
    await setQuantity(graph, 'p1', '3');
    await addPosition(graph, 'p2', { symbol: 'ETH-USD' });
    const second = positions({ accountId: FUND, after: cursor });
    await second.until(({ position }) => position?.positionId === 'p2');
    expect(second.changes().map(brief)).toEqual([
      ['UPSERT', 'p1', '3'],
      ['UPSERT', 'p2', '1'],
    ]);
    await second.leave();
  });

  it('begins anew, and says so, after a cursor that is no longer known', async () => {
    await addPosition(graph, 'p1');
    for (const after of ['0000.12', 'nonsense', `${'f'.repeat(12)}.99.3`]) {
      const watcher = positions({ accountId: FUND, after });
      await watcher.begun();
      expect(watcher.all.map(brief)).toEqual([
        ['RESYNC', undefined, undefined],
        ['SNAPSHOT', 'p1', '1'],
        ['PROGRESS', undefined, undefined],
      ]);
      await watcher.leave();
    }
  });

  it('tells of a row that leaves the choice that it is gone', async () => {
    await addPosition(graph, 'p1');
    const fund = positions({ accountId: FUND });
    const other = positions({ accountId: OTHER });
    await Promise.all([fund.begun(), other.begun()]);
    await graph.sql('trading', `update positions set strategy_id = 's2', account_id = $1`, [OTHER]);
    expect(brief(await fund.until(({ kind }) => kind === 'DELETE'))).toEqual(['DELETE', 'p1', '1']);
    const come = await other.until(({ kind }) => kind === 'UPSERT');
    expect(come.position.account.accountId).toBe(OTHER);
    await Promise.all([fund.leave(), other.leave()]);
  });

  it('tells nothing of what is rolled back, and late commits in their place', async () => {
    await addPosition(graph, 'p1');
    await addPosition(graph, 'p2', { symbol: 'ETH-USD' });
    const watcher = positions();
    await watcher.begun();
    await graph.sql('trading', 'begin; update positions set quantity = 9; rollback');
    await graph.sql(
      'trading',
      `begin; update positions set quantity = 2 where position_id = 'p1'; savepoint a;
       update positions set quantity = 8 where position_id = 'p2'; rollback to savepoint a;
       update positions set quantity = 3 where position_id = 'p2'; commit`,
    );
    await watcher.until(({ position }) => position?.quantity === '3');
    expect(watcher.changes().slice(2).map(brief)).toEqual([
      ['UPSERT', 'p1', '2'],
      ['UPSERT', 'p2', '3'],
    ]);
    await watcher.leave();
  });

  it('refuses a choice that can fit nothing', async () => {
    const watcher = positions({ accountId: 'mine' });
    expect(String(await watcher.ended)).toContain('accountId must be a UUID, but got "mine".');
    const symbols = positions({ symbols: ['BTC'] });
    expect(String(await symbols.ended)).toContain('"BTC" is not a symbol');
  });
});
