/** Fifty clients at once, then an audit of everything; and audits of books that were tampered with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { allowTampering, audit, auditAfter } from './audit.ts';
import { letCrowdTrade, type Tally } from './crowd.ts';
import { done, open } from './floor.ts';

const SEED = 20260101;
const CLIENTS = 50;
const OPERATIONS_EACH = 10;
/** Set to let the crowd trade for so many seconds instead: `EXCHANGE_SOAK_SECONDS=60 npx vitest run clients-at-once`. */
const SOAK_SECONDS = Number(process.env.EXCHANGE_SOAK_SECONDS ?? 0);

let graph: TestGraph;
let tally: Tally;

beforeAll(
  async () => {
    graph = await startGraph();
    const end = Date.now() + SOAK_SECONDS * 1_000;
    const goesOn = SOAK_SECONDS > 0 ? () => Date.now() < end : (sent: number) => sent < OPERATIONS_EACH;
    tally = await letCrowdTrade(graph, { clients: CLIENTS, seed: SEED, goesOn });
    if (SOAK_SECONDS > 0) process.stdout.write(`${JSON.stringify(tally)}\n`);
  },
  180_000 + SOAK_SECONDS * 1_000,
);
afterAll(() => graph.close());

const count = async (statement: string) => Number((await graph.sql('exchange', statement))[0].count);

describe('fifty clients at once', () => {
  it('are answered with states and refusals only: no fault, no deadlock', () => {
    const expected =
      /^(place (OPEN|PARTIALLY_FILLED|FILLED|EXPIRED|PENDING|INSUFFICIENT_FUNDS)|cancel (CANCELLED|INVALID_TRANSITION)|(deposit|withdraw) (DONE|INSUFFICIENT_FUNDS))$/;
    expect(Object.keys(tally).filter((answer) => !expected.test(answer))).toEqual([]);
  });

  it('never wait for each other in a circle', async () => {
    expect(await count(`select deadlocks as count from pg_stat_database where datname = current_database()`)).toBe(0);
  });

  it('really trade, cancel, run dry and trigger stops', async () => {
    expect(Object.values(tally).reduce((sum, times) => sum + times, 0)).toBeGreaterThanOrEqual(
      CLIENTS * OPERATIONS_EACH,
    );
    for (const answer of ['place FILLED', 'place OPEN', 'cancel CANCELLED', 'cancel INVALID_TRANSITION']) {
      expect(tally[answer]).toBeGreaterThan(10);
    }
    expect(await count('select count(*) from trades')).toBeGreaterThan(300);
    expect(await count('select count(*) from orders where triggered_at is not null')).toBeGreaterThan(0);
  });

  it('leave books that add up', async () => {
    expect(await audit(graph)).toEqual({});
  });

  it('are told of every match in its order: the last of the tape is the last price', async () => {
    const wrong = await graph.sql(
      'exchange',
      `select symbol from order_books cross join lateral (
         select price, executed_at from trades where trades.symbol = order_books.symbol
          order by executed_at desc, trade_id limit 1) as newest
        where price <> last_price or executed_at <> last_traded_at`,
    );
    expect(wrong).toEqual([]);
  });
});

describe('the audit', () => {
  /** Whatever the crowd left, an order rests and a stop waits. */
  beforeAll(async () => {
    const accountId = await open(graph, { USD: '500', BTC: '5' });
    const order = { accountId, symbol: 'BTC-USD', quantity: '2' };
    await done(graph, 'placeExchangeOrder', { ...order, side: 'BUY', type: 'LIMIT', price: '10' });
    await done(graph, 'placeExchangeOrder', { ...order, side: 'SELL', type: 'STOP', stopPrice: '0.01' });
    await allowTampering(graph);
  });

  const live = `(select order_id from orders where status = 'OPEN' and side = 'BUY' order by sequence limit 1)`;
  const filled = `(select order_id from orders where filled_quantity > 0 and filled_quantity < quantity order by sequence limit 1)`;
  const trade = `(select trade_id from trades order by executed_at, trade_id limit 1)`;
  const balance = `(select balance_id from balances where available_balance > 1 and locked_balance > 1 order by balance_id limit 1)`;
  const stop = `(select order_id from orders where status = 'PENDING' order by sequence limit 1)`;
  const entry = `(select entry_id from ledger_entries where kind = 'FILL' order by entry_id limit 1)`;

  it.each([
    [
      'money from nowhere',
      `update balances set available_balance = available_balance + 0.00000001 where balance_id = ${balance}`,
    ],
    [
      'money moved between available and locked',
      `update balances set available_balance = available_balance + 1, locked_balance = locked_balance - 1 where balance_id = ${balance}`,
    ],
    ['an entry that is gone', `delete from ledger_entries where entry_id = ${entry}`],
    ['an entry that was changed', `update ledger_entries set amount = amount * 2 where entry_id = ${entry}`],
    [
      'an entry of another account',
      `update ledger_entries set account_id = (select account_id from balances where balance_id = ${balance}) where entry_id = ${entry}`,
    ],
    [
      'an order that reserves less',
      `update orders set reserved_amount = reserved_amount - 0.001 where order_id = ${live}`,
    ],
    [
      'an order that died with its reserve',
      `update orders set status = 'CANCELLED', cancelled_at = clock_timestamp(), reserved_amount = 0 where order_id = ${live}`,
    ],
    [
      'a fill without a trade',
      `update orders set quantity = quantity + 1, filled_quantity = filled_quantity + 1, filled_notional = filled_notional + average_price where order_id = ${filled}`,
    ],
    [
      'an average one digit off',
      `update orders set average_price = average_price + 0.00000001 where order_id = ${filled}`,
    ],
    ['a trade of another size', `update trades set quantity = quantity + 0.00000001 where trade_id = ${trade}`],
    ['a trade at another price', `update trades set price = price + 0.00000001 where trade_id = ${trade}`],
    ['a trade that is gone', `delete from trades where trade_id = ${trade}`],
    ['a fee one digit off', `update trades set fee = fee + 0.00000001 where trade_id = ${trade}`],
    [
      'a fee that was waived',
      `update trades set fee = 0 where trade_id = (select trade_id from trades where fee > 0.0001 limit 1)`,
    ],
    ['a bid above the asks', `update orders set price = 100000 where order_id = ${live}`],
    [
      'a stop that was forgotten',
      `update orders set stop_price = case side when 'BUY' then 0.01 else 100000 end where order_id = ${stop}`,
    ],
    [
      'a triggered stop that was forgotten',
      `update orders set triggered_at = clock_timestamp() where order_id = ${stop}`,
    ],
  ])('finds %s', async (_, tampering) => {
    expect((await auditAfter(graph, tampering)).length).toBeGreaterThan(0);
  });

  it('undoes what it tampered with', async () => {
    expect(await audit(graph)).toEqual({});
  });
});
