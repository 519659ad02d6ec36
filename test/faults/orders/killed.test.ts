/**
 * Trading's process is killed at each step of an order's way, or the exchange does not answer: nothing is lost, nothing is
 * done twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { list, open, place } from '../../graph/exchange/floor.ts';
import { type Desk, openDesk, orderOf, untilOrder, untilStatus } from '../../graph/trading/routing/desk.ts';
import { createRandom } from '../history/random.ts';
import { expectTrueBooks } from './books.ts';
import { letCrowdTrade, openFloor } from './crowd.ts';
import { type Stage, startStage } from './stage.ts';

/** On a busy machine a process takes ten seconds to start. */
const TIMEOUT_MS = 180_000; // three minutes

let stage: Stage;
let desk: Desk;
let other: Desk;
let counterparty: string;
beforeAll(async () => {
  stage = await startStage();
  await list(stage.graph, 'BTC-USD');
  desk = await openDesk(stage.graph);
  other = await openDesk(stage.graph);
  counterparty = await open(stage.graph, { USD: '1000000', BTC: '1000' });
});
afterAll(() => stage?.close());

/** Places "buy 1 @ 90" under that id. */
async function order(orderId: string, words: string, more: object = {}): Promise<void> {
  const [side, quantity, , price] = words.split(' ');
  const terms = price === undefined ? { type: 'MARKET' } : { type: 'LIMIT', price };
  const input = { orderId, strategyId: desk.strategyId, symbol: 'BTC-USD', side: side?.toUpperCase(), quantity };
  const { errors } = await stage.command('placeOrder', { ...input, ...terms, ...more });
  expect(errors).toEqual([]);
}

/** A place in the database at which whoever comes waits for the test. */
const LOCK = 4_711;

/** Makes the statement wait that the trigger is for, until it is ended. */
async function barrier(name: string, on: string, condition: string): Promise<void> {
  await stage.sql(`
    create function trading.${name}() returns trigger language plpgsql as $$
    begin
      if ${condition} then
        perform pg_advisory_xact_lock(${LOCK});
      end if;
      return new;
    end $$;
    create trigger ${name} before ${on} for each row execute function trading.${name}()`);
}

/** Whether so many statements wait there. */
async function untilWaiting(count: number): Promise<void> {
  await expect
    .poll(
      async () =>
        (await stage.sql(`select from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted`))
          .length,
      { timeout: 60_000 },
    )
    .toBe(count);
}

/** What waits there is undone, as when the machine of trading's process is gone. */
async function endWaiting(): Promise<void> {
  await stage.sql(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted`,
  );
  await untilWaiting(0);
  await stage.sql(`select pg_advisory_unlock(${LOCK})`);
  await stage.sql('drop function trading.second_fill cascade; drop function trading.first_claim cascade');
}

it('goes on from wherever it was killed', { timeout: TIMEOUT_MS }, async () => {
  const { toll, trading, graph } = stage;
  for (let sell = 1; sell <= 3; sell++) await place(graph, counterparty, `sell 1 @ ${100 + sell}`);
  await stage.sql(`select pg_advisory_lock(${LOCK})`);
  const isSecond = `new.order_id = 'in the middle of fills' and (select count(*) from trading.trades where order_id = new.order_id) = 1`;
  await barrier('second_fill', 'insert on trading.trades', isSecond);
  await barrier(
    'first_claim',
    'update on trading.order_routes',
    `new.order_id = 'not claimed' and old.sent_at is null`,
  );

  const unsent = toll.park('RouteOrder', 'claimed', 'before');
  const late = toll.park('RouteOrder', 'claimed, then cancelled', 'before');
  const unheard = toll.park('RouteOrder', 'placed', 'after');
  await order('claimed', 'buy 1 @ 90');
  await order('claimed, then cancelled', 'buy 1 @ 90');
  await order('placed', 'buy 1 @ 90');
  for (const id of ['asked to cancel', 'cancelled']) {
    await order(id, 'buy 1 @ 90');
    await untilStatus(graph, id, 'ACCEPTED');
  }
  const atExchange = async (id: string) => (await orderOf(graph, id)).exchangeOrderId as string;
  const unasked = toll.park('CancelRoutedOrder', await atExchange('asked to cancel'), 'before');
  const unanswered = toll.park('CancelRoutedOrder', await atExchange('cancelled'), 'after');
  const asking = ['asked to cancel', 'cancelled'].map((orderId) => stage.command('cancelOrder', { orderId }));
  await order('in the middle of fills', 'buy 3 @ 103', { strategyId: other.strategyId });
  await Promise.all([unsent, late, unheard, unasked, unanswered].map(({ reached }) => reached));
  await untilWaiting(1);
  await order('not claimed', 'buy 1 @ 90');
  await untilWaiting(2);

  await trading.end('SIGKILL');
  for (const parked of [unsent, unheard, unasked, unanswered]) parked.lift();
  await endWaiting();
  const before = await stage.sql(
    `select order_id, status, filled_quantity::float as filled from trading.orders
      where order_id <> 'cancelled' order by 1`,
  );
  expect(before.map(({ order_id, status, filled }) => `${order_id}: ${status} ${filled}`)).toEqual([
    'asked to cancel: accepted 0',
    'claimed: pending 0',
    'claimed, then cancelled: pending 0',
    'in the middle of fills: partially_filled 1',
    'not claimed: pending 0',
    'placed: pending 0',
  ]);

  await stage.restart();
  await stage.command('cancelOrder', { orderId: 'claimed, then cancelled' });
  late.lift();
  for (const id of ['claimed', 'placed', 'not claimed']) await untilStatus(graph, id, 'ACCEPTED');
  for (const id of ['asked to cancel', 'cancelled', 'claimed, then cancelled'])
    await untilStatus(graph, id, 'CANCELLED');
  expect((await untilStatus(graph, 'in the middle of fills', 'FILLED')).trades.nodes).toHaveLength(3);
  await late.deliver(); // the dead process's request gets there after all
  await Promise.all(asking);
  await expectTrueBooks(stage);
  const [placed] = await stage.sql(
    `select count(*)::int as count from exchange.orders where client_order_id = 'claimed, then cancelled'`,
  );
  expect(placed).toEqual({ count: 0 });
});

it('waits for an exchange that does not answer: what may rest is sent later, what was for now is not', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { toll, graph } = stage;
  await place(graph, counterparty, 'sell 1 @ 110');
  await order('rests', 'buy 1 @ 80');
  await untilStatus(graph, 'rests', 'ACCEPTED');

  toll.close(['RouteOrder', 'CancelRoutedOrder']);
  await order('may rest', 'buy 1 @ 80');
  await order('for now', 'buy 1');
  const { order: asked } = await stage.command(
    'cancelOrder',
    { orderId: 'rests' },
    'order { status cancelRequestedAt }',
  );
  expect(asked).toEqual({ status: 'ACCEPTED', cancelRequestedAt: expect.any(String) });
  for (const id of ['may rest', 'for now', 'rests']) {
    const { lastError } = await untilOrder(graph, id, (waiting) => waiting.lastError !== null);
    expect(lastError).toBe('The gateway domain does not answer. Nothing was done; try again later.');
  }
  const reasons = async () => (await graph.run('{ tradingHealth { reasons } }')).data.tradingHealth.reasons.join();
  await expect.poll(reasons).toMatch(/orders? waits? for the exchange/);
  await sleep(1_000); // an order for now is too old then

  toll.open();
  await untilStatus(graph, 'may rest', 'ACCEPTED');
  await untilStatus(graph, 'rests', 'CANCELLED');
  expect(await untilStatus(graph, 'for now', 'REJECTED')).toMatchObject({
    errorMessage: 'It could not be sent to the exchange in time.',
    exchangeOrder: null,
    lastError: null,
  });
  await expectTrueBooks(stage);
});

it('keeps true books under a crowd, killed in its midst', { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom('crowd');
  const tally = await letCrowdTrade(stage, await openFloor(stage), {
    clients: 20,
    goesOn: (deaths) => deaths < 1,
    random,
    livesMs: [300, 900],
  });
  expect(tally.killed).toBe(1);
  await expectTrueBooks(stage);
  const [{ count } = {}] = await stage.sql('select count(*)::int as count from trading.trades');
  expect(count).toBeGreaterThan(0);
});
