-- Managed trades (domain.md §9): the journal, which every write goes to first. Redis and SQLite hold copies of it.
-- Whoever writes a row: it keeps to the rules, its version grows, it is never deleted, and the change feed tells of it.

create table managed_trades (
  trade_id                 text          not null,
  symbol                   text          not null,
  side                     text          not null,
  status                   text          not null,
  quantity                 numeric(20,8) not null,
  leverage                 numeric(10,4) not null default 1,
  -- Products of two numeric(20,8), and their sums.
  margin_usd               numeric(38,8) not null,
  entry_price              numeric(20,8),
  entry_time               timestamptz   not null,
  sl_price                 numeric(20,8),
  tp_price                 numeric(20,8),
  trail_percent            numeric(9,8),
  exit_price               numeric(20,8),
  exit_time                timestamptz,
  close_reason             text,
  pnl_usd                  numeric(38,8) not null default 0,
  -- Quotients of those: a margin may be as small as their last place.
  pnl_pct                  numeric(60,8) not null default 0,
  r_multiple               numeric(60,8) default 0,
  entry_fee_usd            numeric(38,8) not null default 0,
  exit_fee_usd             numeric(38,8) not null default 0,
  funding_fees_usd         numeric(38,8) not null default 0,
  model                    text,
  confidence               numeric(9,8)  not null default 0,
  meta_strategy_id         text,
  regime                   text,
  rl_state_key             text,
  rl_action_key            text,
  rl_leverage_original     numeric(10,4),
  -- The trading order whose fills opened it. Orders may be archived before it, so it is no foreign key.
  exchange_order_id        text,
  sl_order_id              text,
  tp_order_id              text,
  metadata                 jsonb         not null default '{}',
  created_at               timestamptz   not null default now(),
  updated_at               timestamptz   not null default now(),
  account_id               uuid,
  strategy_id              text,
  venue_id                 text,
  initial_quantity         numeric(20,8) not null,
  initial_sl_price         numeric(20,8),
  realized_partial_pnl_usd numeric(38,8) not null default 0,
  highest_price            numeric(20,8),
  lowest_price             numeric(20,8),
  -- Of a short trade up to twice the entry.
  liquidation_price        numeric(38,8),
  version                  integer       not null default 1,
  trace_id                 char(32),
  archived_at              timestamptz,

  constraint managed_trades_pkey primary key (trade_id),
  constraint managed_trades_texts check (
    length(trade_id) between 1 and 255 and length(model) between 1 and 255 and length(meta_strategy_id) between 1 and 255
    and length(regime) between 1 and 255 and length(rl_state_key) between 1 and 255
    and length(rl_action_key) between 1 and 255 and length(exchange_order_id) between 1 and 255
    and length(sl_order_id) between 1 and 255 and length(tp_order_id) between 1 and 255
    and length(strategy_id) between 1 and 255 and length(venue_id) between 1 and 255),
  constraint managed_trades_symbol check (symbol ~ '^[A-Z0-9]+-[A-Z0-9]+(-PERP)?$'),
  constraint managed_trades_side check (side in ('long', 'short')),
  constraint managed_trades_status check (
    status in ('pending', 'open', 'partial_tp', 'breakeven', 'trailing', 'closed', 'cancelled', 'failed')),
  constraint managed_trades_quantity check (quantity > 0 and quantity <= initial_quantity),
  constraint managed_trades_leverage check (leverage >= 1 and leverage < 200 and rl_leverage_original > 0),
  constraint managed_trades_prices check (
    entry_price > 0 and sl_price > 0 and tp_price > 0 and exit_price > 0 and initial_sl_price > 0 and highest_price > 0
    and lowest_price > 0 and lowest_price <= highest_price and liquidation_price >= 0),
  constraint managed_trades_trail check (trail_percent > 0 and trail_percent < 1),
  constraint managed_trades_fees check (entry_fee_usd >= 0 and exit_fee_usd >= 0),
  constraint managed_trades_confidence check (confidence between 0 and 1),
  constraint managed_trades_close_reason check (
    close_reason in ('tp', 'sl', 'manual', 'time', 'trailing', 'breakeven', 'liquidation', 'strategy', 'risk')),
  constraint managed_trades_entered check (
    case
      when status in ('pending', 'cancelled') then entry_price is null
      when status = 'failed' then true
      else entry_price is not null
    end),
  constraint managed_trades_exit check (
    case
      when status = 'closed' then exit_price is not null and exit_time is not null and close_reason is not null
      else exit_price is null and exit_time is null and close_reason is null
    end),
  constraint managed_trades_times check (exit_time >= entry_time),
  constraint managed_trades_margin check (
    entry_price is null
    or abs(initial_quantity * entry_price / leverage - margin_usd)
       <= initial_quantity * entry_price / leverage * 0.005 + 0.00000001),
  constraint managed_trades_stop_before_target check (
    case side when 'long' then sl_price < tp_price else sl_price > tp_price end),
  constraint managed_trades_archived check ((archived_at is not null) = (status in ('closed', 'cancelled', 'failed'))),
  constraint managed_trades_metadata check (jsonb_typeof(metadata) = 'object'),
  constraint managed_trades_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint managed_trades_version check (version >= 1)
);

-- The fills of an order go to one trade at a time; one that comes when that has ended opens another.
create unique index managed_trades_order_key on managed_trades (exchange_order_id)
  where status in ('pending', 'open', 'partial_tp', 'breakeven', 'trailing');
create index managed_trades_by_order on managed_trades (exchange_order_id, entry_time)
  where exchange_order_id is not null;
create index managed_trades_entry on managed_trades (entry_time, trade_id);
create index managed_trades_created on managed_trades (created_at, trade_id);
create index managed_trades_by_status on managed_trades (status, entry_time, trade_id);
create index managed_trades_by_symbol on managed_trades (symbol, status, entry_time, trade_id);
create index managed_trades_by_strategy on managed_trades (strategy_id, entry_time, trade_id);
create index managed_trades_by_account on managed_trades (account_id, entry_time, trade_id);
create index managed_trades_open on managed_trades (entry_time, trade_id)
  where status in ('open', 'partial_tp', 'breakeven', 'trailing');
-- What a fill looks through, and what its replicas hold.
create index managed_trades_open_by_strategy on managed_trades (strategy_id, symbol, entry_time, trade_id)
  where status in ('open', 'partial_tp', 'breakeven', 'trailing');
create index managed_trades_updated on managed_trades (updated_at, trade_id);

create trigger managed_trades_touch before update on managed_trades for each row execute function touch_row();

-- The journal has what ended before any replica has.
create function archive_managed_trade() returns trigger
  language plpgsql as $$
begin
  new.archived_at := case
    when new.status in ('closed', 'cancelled', 'failed') then coalesce(new.archived_at, clock_timestamp())
  end;
  return new;
end $$;

create trigger managed_trades_archive before insert or update on managed_trades
  for each row execute function archive_managed_trade();

create function keep_managed_trade() returns trigger
  language plpgsql as $$
begin
  raise exception 'managed trades are never removed' using errcode = 'restrict_violation';
end $$;

create trigger managed_trades_keep before delete on managed_trades for each row execute function keep_managed_trade();
create trigger managed_trades_no_truncate before truncate on managed_trades for each statement execute function keep_managed_trade();

-- A trade that was planned with an order ends with it when nothing of it was filled.
create function end_planned_trade() returns trigger
  language plpgsql as $$
begin
  update managed_trades set status = case new.status when 'rejected' then 'failed' else 'cancelled' end, trace_id = new.trace_id
   where exchange_order_id = new.order_id and status = 'pending';
  return null;
end $$;

create trigger orders_end_planned_trade after update of status on orders for each row
  when (new.status in ('cancelled', 'rejected', 'expired') and old.status <> new.status and new.filled_quantity = 0)
  execute function end_planned_trade();

select capture('managed_trades', 'trade_id', '{account_id, strategy_id, symbol, exchange_order_id}');
