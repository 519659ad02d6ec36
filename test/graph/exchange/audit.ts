/** An audit of the exchange's books in SQL, from the tables alone (domain.md §3.4). It finds what does not add up. */
import type { TestGraph } from '../../support/graph.ts';

/** Half-even rounding to 8 places of an amount that is not negative; PostgreSQL's round() goes away from zero. */
const round8 = (value: string) =>
  `(case when ${value} - trunc(${value}, 8) = 0.000000005
      then trunc(${value}, 8) + mod(trunc(${value}, 8) * 100000000, 2) * 0.00000001 else round(${value}, 8) end)`;

/** What a live order must reserve, to the last digit. */
const RESERVE = `case when side = 'SELL' then remaining_quantity else ${round8(
  `(remaining_quantity * coalesce(price, round(stop_price * 1.05, 8)) * (1 + greatest(maker_fee_rate, taker_fee_rate)))`,
)} end`;

/** Each gives a row for every fault. */
const CHECKS: Record<string, string> = {
  'a posting does not sum to zero': `
    select posting_id, asset, sum(amount) from ledger_entries group by posting_id, asset having sum(amount) <> 0`,

  'an asset does not sum to zero': `
    select asset, sum(amount) from ledger_entries group by asset having sum(amount) <> 0`,

  'a balance is not the sum of its entries': `
    select account_id, symbol, available_balance, locked_balance, entries.* from balances
      full join (
        select account_id, asset as symbol, coalesce(sum(amount) filter (where bucket = 'AVAILABLE'), 0) as available,
               coalesce(sum(amount) filter (where bucket = 'LOCKED'), 0) as locked
          from ledger_entries where account_id <> 'ffffffff-ffff-4fff-bfff-ffffffffff02'
         group by account_id, asset) as entries using (account_id, symbol)
     where coalesce(available_balance, 0) <> coalesce(available, 0) or coalesce(locked_balance, 0) <> coalesce(locked, 0)`,

  'the balances of an asset are not what came in less what went out': `
    select symbol, total, came_in from (select symbol, sum(total_balance) as total from balances group by symbol) as held
      full join (
        select asset as symbol, -sum(amount) as came_in from ledger_entries
         where account_id = 'ffffffff-ffff-4fff-bfff-ffffffffff02' group by asset) as moved using (symbol)
     where coalesce(total, 0) <> coalesce(came_in, 0)`,

  'a balance is negative': `select * from balances where available_balance < 0 or locked_balance < 0`,

  'locked is not what live orders reserve': `
    select account_id, symbol, locked_balance, reserved from balances
      full join (
        select account_id, reserved_asset as symbol, sum(reserved_amount) as reserved from orders
         where status in ('PENDING', 'OPEN', 'PARTIAL') group by account_id, reserved_asset) as live
     using (account_id, symbol)
     where coalesce(locked_balance, 0) <> coalesce(reserved, 0)`,

  // Less by the dust of roundings only where the account had no more.
  'an order does not reserve what its rest may cost': `
    select order_id, side, remaining_quantity, price, reserved_amount, ${RESERVE} as needed from orders
      left join balances on balances.account_id = orders.account_id and balances.symbol = reserved_asset
     where status in ('PENDING', 'OPEN', 'PARTIAL')
       and (reserved_amount > ${RESERVE} or reserved_amount < ${RESERVE} - 0.000001
         or (reserved_amount < ${RESERVE} and available_balance > 0.000001))`,

  'an order that has ended reserves something': `
    select order_id from orders where status not in ('PENDING', 'OPEN', 'PARTIAL') and reserved_amount <> 0`,

  'an order is not filled by its trades': `
    select order_id, filled_quantity, filled_notional, traded.* from orders
      left join (
        select order_id, sum(quantity) as quantity, sum(quantity * price) as notional from trades group by order_id
      ) as traded using (order_id)
     where filled_quantity <> coalesce(traded.quantity, 0) or filled_notional <> coalesce(notional, 0)
        or filled_quantity > orders.quantity`,

  'an average price is not the mean of its trades': `
    select order_id, average_price from orders
     where filled_quantity > 0 and average_price <> ${round8('(filled_notional / filled_quantity)')}`,

  'a state does not fit the fills': `
    select order_id, status from orders
     where (status = 'FILLED') <> (filled_quantity = quantity) or (status = 'FILLED') <> (filled_at is not null)
        or (status = 'CANCELLED') <> (cancelled_at is not null)
        or (status = 'PARTIAL' and filled_quantity = 0) or (status in ('OPEN', 'PENDING') and filled_quantity > 0)`,

  'the sides of a match disagree': `
    select match_id from trades group by match_id
    having count(*) <> 2 or count(distinct side) <> 2 or count(distinct liquidity) <> 2
        or count(distinct (symbol, quantity, price, executed_at)) <> 1 or count(distinct account_id) <> 2`,

  'a trade is worse than its order allows': `
    select trade_id from trades join orders using (order_id, account_id, symbol, side)
     where case side when 'BUY' then trades.price > orders.price else trades.price < orders.price end`,

  'a fee is not that of its trade': `
    select trade_id, fee, due from (
      select trade_id, trades.side, fee, ${round8(
        `(trades.quantity * trades.price * case liquidity when 'MAKER' then maker_fee_rate else taker_fee_rate end)`,
      )} as due from trades join orders using (order_id)) as charged
     where fee > due or fee < due - case side when 'BUY' then 0.000001 else 0 end`,

  'a trade and its entries disagree': `
    select trade_id from trades
      left join (
        select ref_id::uuid as trade_id, account_id, asset, sum(amount) filter (where kind = 'FILL') as goods,
               -sum(amount) filter (where kind = 'FEE') as paid
          from ledger_entries
         where ref_type = 'TRADE' and account_id <> 'ffffffff-ffff-4fff-bfff-ffffffffff01'
         group by ref_id, account_id, asset) as moved using (trade_id, account_id)
     group by trade_id
    having max(case side when 'BUY' then quantity else -quantity end)
             is distinct from max(goods) filter (where asset = split_part(symbol, '-', 1))
        or max(fee) <> coalesce(max(paid) filter (where asset = split_part(symbol, '-', 2)), 0)`,

  'a book is crossed': `
    select bid.order_id, ask.order_id from orders as bid join orders as ask using (symbol)
     where bid.side = 'BUY' and ask.side = 'SELL' and bid.order_type = 'LIMIT' and ask.order_type = 'LIMIT'
       and bid.status in ('OPEN', 'PARTIAL') and ask.status in ('OPEN', 'PARTIAL') and bid.price >= ask.price`,

  'a triggered stop was left': `
    select order_id from orders where order_type = 'STOP' and status = 'PENDING' and triggered_at is not null`,

  'a stop that the last price has reached waits': `
    select order_id from orders join order_books using (symbol)
     where order_type = 'STOP' and status = 'PENDING'
       and case side when 'BUY' then stop_price <= last_price else stop_price >= last_price end`,
};

/**
 * One statement: a row for each check that found something, with up to three of what it found. Materialized, since
 * PostgreSQL plans for three faults to come soon otherwise, and there are none: on a deep book it took half a minute.
 */
const AUDIT = Object.entries(CHECKS)
  .map(
    ([name, statement]) =>
      `select '${name}' as fault, (
         with finding as materialized (${statement}) select jsonb_agg(few) from (select * from finding limit 3) as few
       ) as rows`,
  )
  .join(' union all ');

/** What does not add up: the checks that found something, with up to three of the rows that each found. */
export async function audit(graph: TestGraph): Promise<Record<string, unknown[]>> {
  const found = await graph.sql('exchange', `select fault, rows from (${AUDIT}) as audit where rows is not null`);
  return Object.fromEntries(found.map(({ fault, rows }) => [fault, rows]));
}

/** Makes ready for `auditAfter`. */
export async function allowTampering(graph: TestGraph): Promise<void> {
  await graph.sql(
    'exchange',
    `create or replace function audit_after(tampering text) returns text[] language plpgsql as $$
     declare
       findings text[];
       tampered bigint;
     begin
       alter table orders disable trigger user, drop constraint orders_average_price, drop constraint orders_within_limit;
       alter table trades disable trigger user;
       alter table balances disable trigger user;
       alter table ledger_entries disable trigger user;
       execute tampering;
       get diagnostics tampered = row_count;
       if tampered = 0 then raise exception 'nothing was tampered with'; end if;
       findings := array(select fault from (${AUDIT}) as audit where rows is not null);
       raise exception using errcode = 'UNDO1';
     exception when sqlstate 'UNDO1' then
       return findings; -- the variable stays, everything else is undone
     end $$`,
  );
}

/** The checks that find something after the statement has been run past the triggers; it is undone. */
export async function auditAfter(graph: TestGraph, tampering: string): Promise<string[]> {
  return (await graph.sql('exchange', 'select audit_after($1) as findings', [tampering]))[0].findings;
}
