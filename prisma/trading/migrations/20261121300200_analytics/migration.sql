-- What performance is reckoned from: the capital of a strategy, the price an order was meant to meet, and what open
-- positions were worth as time went by.

-- What a strategy was given to trade with, in quote units.
alter table strategies
  add column capital numeric(20,8),
  add constraint strategies_capital check (capital > 0);

-- The market's last price when the order was placed.
alter table orders
  add column reference_price numeric(20,8),
  add constraint orders_reference_price check (reference_price > 0);
select refresh_archive('orders'::regclass);

-- The P&L of each open position, minute by minute, where it has moved since the row before. Realised and unrealised P&L
-- are of one instant, so that their sum is never counted twice or missed while trades move it from one to the other.
create table position_marks (
  position_id    text          not null,
  -- The beginning of the minute: processes that write the same minute write one row.
  at             timestamptz   not null,
  price          numeric(20,8) not null,
  realized_pnl   numeric(38,8) not null,
  unrealized_pnl numeric(38,8) not null,

  constraint position_marks_pkey primary key (position_id, at),
  constraint position_marks_price check (price > 0)
);
create index position_marks_at on position_marks (at);

-- From here on it is known what is open now.
insert into position_marks (position_id, at, price, realized_pnl, unrealized_pnl)
select position_id, date_trunc('minute', now()), current_price, realized_pnl, unrealized_pnl
  from positions where closed_at is null;

-- What performance asks of a window: the positions closed in it.
create index positions_closed_by_strategy on positions (strategy_id, closed_at) where closed_at is not null;
create index positions_closed_by_account on positions (account_id, closed_at) where closed_at is not null;
create index positions_archive_closed_by_strategy on positions_archive (strategy_id, closed_at);
create index positions_archive_closed_by_account on positions_archive (account_id, closed_at);
