-- What risk said of orders before they were placed, in the trace of the order's request. Written in batches, after the
-- answer was given.
create table pre_trade_checks (
  check_id      uuid          not null default gen_random_uuid(),
  account_id    text          not null,
  strategy_id   text,
  instrument_id text          not null,
  side          text          not null,
  quantity      numeric(38,8) not null,
  price         numeric(38,8),
  is_allowed    boolean       not null,
  -- Of the first check that was not passed.
  refusal       text,
  limit_id      text,
  is_stale      boolean       not null,
  trace_id      char(32)      not null,
  checked_at    timestamptz   not null,

  constraint pre_trade_checks_pkey primary key (check_id),
  constraint pre_trade_checks_side check (side in ('buy', 'sell')),
  constraint pre_trade_checks_quantity check (quantity > 0),
  constraint pre_trade_checks_refused check (is_allowed = (refusal is null)),
  constraint pre_trade_checks_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index pre_trade_checks_by_trace on pre_trade_checks (trace_id);
create index pre_trade_checks_checked on pre_trade_checks (checked_at);

select capture('pre_trade_checks', 'check_id', '{account_id}');
