-- Backtests: a strategy run over stored bars. A run is claimed for a while by the process that does it; when the process is
-- gone, the claim lapses and another does the run anew. Trades and equity are written together with the run's end.

create table backtest_runs (
  run_id          text           not null default gen_random_uuid()::text,
  strategy_id     text,
  strategy_type   text           not null,
  parameters      jsonb          not null,
  symbols         text[]         not null,
  "interval"      text           not null,
  from_time       timestamptz    not null,
  to_time         timestamptz    not null,
  initial_capital numeric(20,8)  not null,
  fee_rate        numeric(10,8)  not null,
  slippage_bps    numeric(12,8)  not null,
  status          text           not null default 'pending',
  -- Bars of all symbols; null until they were counted.
  bar_count       integer,
  bars_done       integer        not null default 0,
  final_equity    numeric(38,8),
  -- Figures of a completed run, decimals as text.
  metrics         jsonb,
  error_message   text,
  attempts        integer        not null default 0,
  claimed_by      text,
  claimed_until   timestamptz,
  -- Not to be taken up before.
  due_at          timestamptz    not null default now(),
  started_at      timestamptz,
  finished_at     timestamptz,
  trace_id        char(32),
  created_at      timestamptz    not null default now(),
  updated_at      timestamptz    not null default now(),
  version         integer        not null default 1,

  constraint backtest_runs_pkey primary key (run_id),
  constraint backtest_runs_strategy foreign key (strategy_id) references strategies (strategy_id)
    on update restrict on delete restrict,
  constraint backtest_runs_id_length check (length(run_id) between 1 and 255),
  constraint backtest_runs_type check (strategy_type in ('trend_following', 'mean_reversion', 'momentum')),
  constraint backtest_runs_parameters check (jsonb_typeof(parameters) = 'object'),
  constraint backtest_runs_symbols check (cardinality(symbols) between 1 and 10 and array_position(symbols, null) is null),
  constraint backtest_runs_interval check ("interval" in ('m1', 'm5', 'm15', 'h1', 'h4', 'd1')),
  constraint backtest_runs_window check (from_time < to_time),
  constraint backtest_runs_capital check (initial_capital > 0),
  constraint backtest_runs_costs check (fee_rate between 0 and 0.1 and slippage_bps between 0 and 1000),
  constraint backtest_runs_status check (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
  constraint backtest_runs_bars check (bars_done >= 0),
  constraint backtest_runs_claim check (
    (claimed_by is not null) = (status = 'running') and (claimed_until is not null) = (status = 'running')),
  constraint backtest_runs_finished check ((finished_at is not null) = (status in ('completed', 'failed', 'cancelled'))),
  constraint backtest_runs_result check (
    (final_equity is not null) = (status = 'completed') and (metrics is not null) = (status = 'completed')),
  constraint backtest_runs_error check ((error_message is not null) = (status = 'failed')),
  constraint backtest_runs_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint backtest_runs_version check (version >= 1)
);

create index backtest_runs_created on backtest_runs (created_at, run_id);
create index backtest_runs_by_status on backtest_runs (status, created_at, run_id);
create index backtest_runs_by_strategy on backtest_runs (strategy_id, created_at, run_id);
create index backtest_runs_waiting on backtest_runs (created_at, run_id) where status in ('pending', 'running');

create trigger backtest_runs_touch before update on backtest_runs for each row execute function touch_row();

-- What a completed run bought and sold, in order.
create table backtest_trades (
  run_id        text          not null,
  number        integer       not null,
  instrument_id text          not null,
  side          text          not null,
  quantity      numeric(20,8) not null,
  price         numeric(20,8) not null,
  commission    numeric(20,8) not null,
  realized_pnl  numeric(38,8) not null,
  -- When the bar ended on whose close it was decided, and when the bar began at whose open it was executed.
  decided_at    timestamptz   not null,
  executed_at   timestamptz   not null,

  constraint backtest_trades_pkey primary key (run_id, number),
  constraint backtest_trades_run foreign key (run_id) references backtest_runs (run_id)
    on update restrict on delete restrict,
  constraint backtest_trades_side check (side in ('buy', 'sell')),
  constraint backtest_trades_amounts check (quantity > 0 and price > 0 and commission >= 0),
  constraint backtest_trades_order check (decided_at <= executed_at)
);

-- The equity of a completed run as time went by.
create table backtest_points (
  run_id text          not null,
  number integer       not null,
  at     timestamptz   not null,
  equity numeric(38,8) not null,

  constraint backtest_points_pkey primary key (run_id, number),
  constraint backtest_points_run foreign key (run_id) references backtest_runs (run_id)
    on update restrict on delete restrict
);

create trigger backtest_trades_append_only before update or delete on backtest_trades
  for each row execute function refuse_change();
create trigger backtest_trades_no_truncate before truncate on backtest_trades
  for each statement execute function refuse_change();
create trigger backtest_points_append_only before update or delete on backtest_points
  for each row execute function refuse_change();
create trigger backtest_points_no_truncate before truncate on backtest_points
  for each statement execute function refuse_change();

select capture('backtest_runs', 'run_id', '{strategy_id}');
