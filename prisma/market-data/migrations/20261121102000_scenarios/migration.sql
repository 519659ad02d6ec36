-- Scenarios that bend what is published of prices, and the truth of what was bent. How far a price is bent follows from
-- the instants of a row and the clock alone, so that any process can go on where another stopped.
create table market_scenarios (
  scenario_id      uuid primary key default gen_random_uuid(),
  name             text not null,
  type             text not null,
  symbols          text[] not null,
  intensity        numeric(4, 2) not null,
  deviation        numeric(9, 8) not null,
  is_gradual       boolean not null,
  duration_minutes integer not null,
  recovery_factor  numeric(4, 2) not null,
  seed             integer not null,
  state            text not null default 'DRAFT',
  scheduled_for    timestamptz,
  started_at       timestamptz,
  recovers_at      timestamptz,
  ends_at          timestamptz,
  ended_at         timestamptz,
  reason           text,
  created_by       text,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  version          integer not null default 1,
  trace_id         char(32),
  constraint market_scenarios_name_length check (length(name) between 1 and 200),
  constraint market_scenarios_type_known check (type in (
    'RALLY', 'CRASH', 'DIVERGENCE', 'MEAN_REVERTING', 'VOLATILITY_SPIKE', 'CONSOLIDATION', 'PRICE_SHOCK',
    'GRADUAL_DIVERGENCE', 'FEED_DISRUPTION', 'STABLECOIN_DEPEG', 'CORRELATION_BREAK', 'MARKET_CRASH'
  )),
  constraint market_scenarios_symbols_count check (cardinality(symbols) between 1 and 50),
  constraint market_scenarios_intensity_range check (intensity between 0.1 and 2),
  -- A price that is pulled to where it was is pulled with a strength of up to 1; every other is moved by up to a quarter.
  constraint market_scenarios_deviation_range check (
    abs(deviation) <= case when type in ('CONSOLIDATION', 'FEED_DISRUPTION') then 1
                           when type = 'STABLECOIN_DEPEG' then 0.1 else 0.25 end
  ),
  constraint market_scenarios_recovers check (duration_minutes > 0 and recovery_factor > 0),
  constraint market_scenarios_state_known check (
    state in ('DRAFT', 'SCHEDULED', 'RUNNING', 'RECOVERING', 'COMPLETED', 'STOPPED', 'FAILED', 'CANCELLED')
  ),
  constraint market_scenarios_running_dated check (
    state not in ('RUNNING', 'RECOVERING', 'COMPLETED', 'STOPPED', 'FAILED')
    or (started_at is not null and recovers_at > started_at and ends_at > recovers_at)
  ),
  constraint market_scenarios_scheduled_dated check (state <> 'SCHEDULED' or scheduled_for is not null),
  constraint market_scenarios_ended_dated check (
    (state in ('COMPLETED', 'STOPPED', 'FAILED', 'CANCELLED')) = (ended_at is not null)
  )
);
create index market_scenarios_created_idx on market_scenarios (created_at, scenario_id);
create index market_scenarios_alive_idx on market_scenarios (state) where state in ('SCHEDULED', 'RUNNING', 'RECOVERING');

create table price_manipulations (
  manipulation_id uuid primary key default gen_random_uuid(),
  scenario_id     uuid not null references market_scenarios (scenario_id) on delete restrict,
  symbol          text not null references symbols (symbol) on delete restrict,
  pattern         text not null,
  deviation       numeric(9, 8) not null,
  seed            integer not null,
  state           text not null default 'ACTIVE',
  anchor_price    numeric(24, 8) not null,
  target_price    numeric(24, 8) not null,
  original_price  numeric(24, 8) not null,
  original_bid    numeric(24, 8),
  original_ask    numeric(24, 8),
  published_price numeric(24, 8) not null,
  started_at      timestamptz not null,
  full_at         timestamptz not null,
  recovers_at     timestamptz not null,
  ends_at         timestamptz not null,
  ended_at        timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  version         integer not null default 1,
  trace_id        char(32),
  constraint price_manipulations_pattern_known check (pattern in ('SHIFT', 'OSCILLATION', 'NOISE', 'PULL')),
  constraint price_manipulations_state_known check (state in ('ACTIVE', 'ENDED')),
  constraint price_manipulations_ended_dated check ((state = 'ENDED') = (ended_at is not null)),
  constraint price_manipulations_prices_positive check (
    anchor_price > 0 and target_price > 0 and original_price > 0 and published_price > 0
  ),
  constraint price_manipulations_instants_ordered check (
    started_at <= full_at and full_at <= recovers_at and recovers_at < ends_at
  )
);
-- One active manipulation a symbol, whoever starts it.
create unique index price_manipulations_one_active on price_manipulations (symbol) where state = 'ACTIVE';
create index price_manipulations_scenario_idx on price_manipulations (scenario_id, symbol);
create index price_manipulations_started_idx on price_manipulations (started_at, manipulation_id);

create trigger market_scenarios_touch before update on market_scenarios for each row execute function touch_row();
create trigger price_manipulations_touch before update on price_manipulations for each row execute function touch_row();

select capture('market_scenarios', 'scenario_id');
select capture('price_manipulations', 'manipulation_id', '{scenario_id}');
