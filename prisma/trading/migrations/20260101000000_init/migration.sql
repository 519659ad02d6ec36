-- The trading domain: strategies, their orders, the executions of those orders, and the positions that result.
-- Amounts that a caller gives are numeric(20,8). Products and their sums are numeric(38,8), which no product of two
-- numeric(20,8) can overflow. Rounding is half-even to 8 places, as in the rules (PostgreSQL's own round() is not).

create function round8(value numeric) returns numeric
  language sql immutable parallel safe
  return case
    when abs(value - trunc(value, 8)) = 0.000000005
      then trunc(value, 8) + mod(trunc(value, 8) * 100000000, 2) * 0.00000001
    else round(value, 8)
  end;

-- Whoever writes a row, its version and its time of change move.
create function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

create function refuse_change() returns trigger
  language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- Strategies ---------------------------------------------------------------------------------------------------------

create table strategies (
  strategy_id       text           not null,
  name              text           not null,
  strategy_type     text           not null,
  status            text           not null default 'inactive',
  account_id        uuid           not null,
  instruments       text[]         not null,
  venue_ids         text[]         not null default '{}',
  parameters        jsonb          not null default '{}',
  max_position_size numeric(20,8),
  max_daily_loss    numeric(20,8),
  max_leverage      numeric(10,4),
  total_trades      integer        not null default 0,
  realized_pnl      numeric(38,8)  not null default 0,
  daily_pnl         numeric(38,8)  not null default 0,
  daily_pnl_date    date,
  error_message     text,
  started_at        timestamptz,
  stopped_at        timestamptz,
  trace_id          char(32),
  created_at        timestamptz    not null default now(),
  updated_at        timestamptz    not null default now(),
  version           integer        not null default 1,

  constraint strategies_pkey primary key (strategy_id),
  -- What orders and positions refer to: a strategy that has any cannot change its account.
  constraint strategies_account_key unique (strategy_id, account_id),
  constraint strategies_id_length check (length(strategy_id) between 1 and 255),
  constraint strategies_name_length check (length(name) between 1 and 255),
  constraint strategies_type check (
    strategy_type in ('market_making', 'trend_following', 'mean_reversion', 'arbitrage', 'momentum', 'custom')),
  constraint strategies_status check (status in ('inactive', 'active', 'paused', 'stopped', 'error')),
  constraint strategies_instruments check (
    cardinality(instruments) between 1 and 500 and array_position(instruments, null) is null),
  constraint strategies_venues check (cardinality(venue_ids) <= 100 and array_position(venue_ids, null) is null),
  constraint strategies_parameters check (jsonb_typeof(parameters) = 'object'),
  constraint strategies_limits check (max_position_size >= 0 and max_daily_loss >= 0 and max_leverage >= 0),
  constraint strategies_total_trades check (total_trades >= 0),
  constraint strategies_daily_pnl check (daily_pnl_date is not null or daily_pnl = 0),
  constraint strategies_started check (status not in ('active', 'paused') or started_at is not null),
  constraint strategies_stopped check (status <> 'stopped' or stopped_at is not null),
  constraint strategies_error check (status <> 'error' or error_message is not null),
  constraint strategies_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint strategies_version check (version >= 1)
);

create index strategies_created on strategies (created_at, strategy_id);
create index strategies_by_status on strategies (status, created_at, strategy_id);
create index strategies_by_type on strategies (strategy_type, created_at, strategy_id);
create index strategies_by_account on strategies (account_id, created_at, strategy_id);
create index strategies_by_instrument on strategies using gin (instruments);

create trigger strategies_touch before update on strategies for each row execute function touch_row();

-- Orders -------------------------------------------------------------------------------------------------------------

create table orders (
  order_id           text           not null default gen_random_uuid()::text,
  strategy_id        text           not null,
  account_id         uuid           not null,
  instrument_id      text           not null,
  side               text           not null,
  order_type         text           not null,
  status             text           not null default 'pending',
  time_in_force      text           not null default 'gtc',
  quantity           numeric(20,8)  not null,
  price              numeric(20,8),
  stop_price         numeric(20,8),
  filled_quantity    numeric(20,8)  not null default 0,
  remaining_quantity numeric(20,8)  not null generated always as (quantity - filled_quantity) stored,
  -- The exact sum of quantity × price over the order's trades; the average is this over filled_quantity, rounded once.
  filled_notional    numeric(40,16) not null default 0,
  average_fill_price numeric(20,8),
  commission         numeric(38,8)  not null default 0,
  realized_pnl       numeric(38,8),
  execution_venue    text,
  exchange_order_id  text,
  error_message      text,
  submitted_at       timestamptz,
  filled_at          timestamptz,
  cancelled_at       timestamptz,
  trace_id           char(32),
  created_at         timestamptz    not null default now(),
  updated_at         timestamptz    not null default now(),
  version            integer        not null default 1,

  constraint orders_pkey primary key (order_id),
  -- What trades refer to: a trade has its order's strategy, account, instrument and side.
  constraint orders_trade_key unique (order_id, strategy_id, account_id, instrument_id, side),
  constraint orders_strategy foreign key (strategy_id, account_id) references strategies (strategy_id, account_id)
    on update restrict on delete restrict,
  constraint orders_id_length check (length(order_id) between 1 and 255),
  constraint orders_instrument check (instrument_id ~ '^[A-Z0-9]+-[A-Z0-9]+(-PERP)?$'),
  constraint orders_side check (side in ('buy', 'sell')),
  constraint orders_type check (order_type in ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')),
  constraint orders_status check (
    status in ('pending', 'submitted', 'accepted', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired')),
  constraint orders_time_in_force check (time_in_force in ('gtc', 'ioc', 'fok', 'day')),
  constraint orders_quantity_positive check (quantity > 0),
  constraint orders_price check ((price is not null) = (order_type in ('limit', 'stop_limit')) and price > 0),
  constraint orders_stop_price check (
    (stop_price is not null) = (order_type in ('stop', 'stop_limit', 'trailing_stop')) and stop_price > 0),
  constraint orders_filled_within check (filled_quantity between 0 and quantity),
  constraint orders_status_filled check (
    case
      when status in ('pending', 'submitted', 'accepted', 'rejected') then filled_quantity = 0
      when status = 'partially_filled' then filled_quantity > 0 and filled_quantity < quantity
      when status = 'filled' then filled_quantity = quantity
      else filled_quantity < quantity
    end),
  constraint orders_average_fill_price check (
    case
      when filled_quantity = 0 then average_fill_price is null and filled_notional = 0
      else average_fill_price is not null
        and abs(average_fill_price * filled_quantity - filled_notional) <= filled_quantity * 0.000000005
    end),
  constraint orders_realized_pnl check ((realized_pnl is not null) = (filled_quantity > 0)),
  constraint orders_commission check (commission >= 0 and (commission = 0 or filled_quantity > 0)),
  constraint orders_exchange_order check (exchange_order_id is null or execution_venue is not null),
  constraint orders_submitted check (
    case
      when status = 'pending' then submitted_at is null
      when status in ('cancelled', 'rejected') then true
      else submitted_at is not null and execution_venue is not null
    end),
  constraint orders_filled_at check ((filled_at is not null) = (status = 'filled') and filled_at >= created_at),
  constraint orders_cancelled_at check ((cancelled_at is not null) = (status = 'cancelled') and cancelled_at >= created_at),
  constraint orders_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint orders_version check (version >= 1)
);

create unique index orders_exchange_order_key on orders (exchange_order_id, execution_venue)
  where exchange_order_id is not null;
create index orders_created on orders (created_at, order_id);
create index orders_by_status on orders (status, created_at, order_id);
create index orders_by_strategy on orders (strategy_id, created_at, order_id);
create index orders_by_account on orders (account_id, created_at, order_id);
create index orders_by_instrument on orders (instrument_id, created_at, order_id);
create index orders_active_by_strategy on orders (strategy_id, instrument_id)
  where status in ('pending', 'submitted', 'accepted', 'partially_filled');
create index orders_active_by_account on orders (account_id, created_at, order_id)
  where status in ('pending', 'submitted', 'accepted', 'partially_filled');

create trigger orders_touch before update on orders for each row execute function touch_row();

-- Trades -------------------------------------------------------------------------------------------------------------

create table trades (
  trade_id          text           not null default gen_random_uuid()::text,
  order_id          text           not null,
  strategy_id       text           not null,
  account_id        uuid           not null,
  instrument_id     text           not null,
  side              text           not null,
  quantity          numeric(20,8)  not null,
  price             numeric(20,8)  not null,
  gross_value       numeric(38,8)  not null generated always as (round8(quantity * price)) stored,
  commission        numeric(20,8)  not null default 0,
  net_value         numeric(38,8)  not null generated always as (
    round8(quantity * price) + case side when 'buy' then commission else -commission end) stored,
  realized_pnl      numeric(38,8)  not null,
  execution_venue   text           not null,
  exchange_trade_id text           not null,
  liquidity         text,
  executed_at       timestamptz    not null,
  notes             text,
  trace_id          char(32),
  created_at        timestamptz    not null default now(),

  constraint trades_pkey primary key (trade_id),
  constraint trades_order foreign key (order_id, strategy_id, account_id, instrument_id, side)
    references orders (order_id, strategy_id, account_id, instrument_id, side) on update restrict on delete restrict,
  -- An execution is recorded once, however often the venue reports it.
  constraint trades_exchange_trade_key unique (exchange_trade_id, execution_venue),
  constraint trades_id_length check (length(trade_id) between 1 and 255),
  constraint trades_exchange_trade_length check (length(exchange_trade_id) between 1 and 255),
  constraint trades_side check (side in ('buy', 'sell')),
  constraint trades_quantity_positive check (quantity > 0),
  constraint trades_price_positive check (price > 0),
  constraint trades_commission check (commission >= 0),
  constraint trades_liquidity check (liquidity in ('maker', 'taker')),
  constraint trades_notes_length check (length(notes) <= 2000),
  constraint trades_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index trades_executed on trades (executed_at, trade_id);
create index trades_by_order on trades (order_id, executed_at, trade_id);
create index trades_by_strategy on trades (strategy_id, executed_at, trade_id);
create index trades_by_account on trades (account_id, executed_at, trade_id);
create index trades_by_instrument on trades (instrument_id, executed_at, trade_id);

create trigger trades_append_only before update or delete on trades for each row execute function refuse_change();
create trigger trades_no_truncate before truncate on trades for each statement execute function refuse_change();

-- Positions ----------------------------------------------------------------------------------------------------------

create table positions (
  position_id         text          not null default gen_random_uuid()::text,
  strategy_id         text          not null,
  account_id          uuid          not null,
  instrument_id       text          not null,
  -- Positive is long, negative is short, zero is closed.
  quantity            numeric(20,8) not null,
  average_entry_price numeric(20,8) not null,
  realized_pnl        numeric(38,8) not null default 0,
  current_price       numeric(20,8) not null,
  marked_at           timestamptz   not null,
  market_value        numeric(38,8) not null generated always as (round8(quantity * current_price)) stored,
  exposure            numeric(38,8) not null generated always as (round8(abs(quantity) * current_price)) stored,
  cost_basis          numeric(38,8) not null generated always as (round8(quantity * average_entry_price)) stored,
  unrealized_pnl      numeric(38,8) not null generated always as (
    round8(quantity * (current_price - average_entry_price))) stored,
  total_pnl           numeric(38,8) not null generated always as (
    realized_pnl + round8(quantity * (current_price - average_entry_price))) stored,
  opened_at           timestamptz   not null,
  closed_at           timestamptz,
  notes               text,
  trace_id            char(32),
  created_at          timestamptz   not null default now(),
  updated_at          timestamptz   not null default now(),
  version             integer       not null default 1,

  constraint positions_pkey primary key (position_id),
  constraint positions_strategy foreign key (strategy_id, account_id) references strategies (strategy_id, account_id)
    on update restrict on delete restrict,
  constraint positions_id_length check (length(position_id) between 1 and 255),
  constraint positions_instrument check (instrument_id ~ '^[A-Z0-9]+-[A-Z0-9]+(-PERP)?$'),
  constraint positions_average_positive check (average_entry_price > 0),
  constraint positions_current_positive check (current_price > 0),
  constraint positions_closed check ((closed_at is not null) = (quantity = 0) and closed_at >= opened_at),
  constraint positions_notes_length check (length(notes) <= 2000),
  constraint positions_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint positions_version check (version >= 1)
) with (fillfactor = 80); -- room for marks, which change no indexed column

create unique index positions_open_key on positions (strategy_id, instrument_id) where closed_at is null;
create index positions_opened on positions (opened_at, position_id);
create index positions_by_strategy on positions (strategy_id, opened_at, position_id);
create index positions_by_account on positions (account_id, opened_at, position_id);
create index positions_by_instrument on positions (instrument_id, opened_at, position_id);
create index positions_open_by_account on positions (account_id, opened_at, position_id) where closed_at is null;
create index positions_open_by_instrument on positions (instrument_id, position_id) where closed_at is null;

create trigger positions_touch before update on positions for each row execute function touch_row();

-- What every domain has ----------------------------------------------------------------------------------------------

create table idempotency_keys (
  key          text        not null,
  operation    text        not null,
  request_hash text        not null,
  result       jsonb,
  created_at   timestamptz not null default now(),

  constraint idempotency_keys_pkey primary key (key)
);

create index idempotency_keys_created on idempotency_keys (created_at);

-- Cheap by construction: the counts come from small tables, partial indexes and the planner's estimates.
create function health_check() returns json
  language sql stable set search_path from current as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'strategies', (select count(*) from strategies),
    'active_orders', (select count(*) from orders
                       where status in ('pending', 'submitted', 'accepted', 'partially_filled')),
    'open_positions', (select count(*) from positions where closed_at is null),
    'estimated_trades', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'trades'::regclass));
$$;
