-- Who reports prices, how each source does, and the price on which they agree.
create table data_sources (
  name                  text primary key,
  kind                  text not null,
  priority              integer not null,
  rate_limit_per_second integer,
  is_enabled            boolean not null default true,
  state                 text not null default 'DOWN',
  state_since           timestamptz not null default now(),
  good_streak           integer not null default 0,
  error_streak          integer not null default 0,
  error_count           integer not null default 0,
  last_error            text,
  last_error_at         timestamptz,
  latency_ms            integer,
  last_seen_at          timestamptz,
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  version               integer not null default 1,
  trace_id              char(32),
  constraint data_sources_name_length check (length(name) between 1 and 100),
  constraint data_sources_kind_known check (kind in ('REST', 'WEBSOCKET', 'EXCHANGE')),
  constraint data_sources_priority_range check (priority between 1 and 100),
  constraint data_sources_rate_limit_positive check (rate_limit_per_second > 0),
  constraint data_sources_state_known check (state in ('HEALTHY', 'DEGRADED', 'STALE', 'DOWN')),
  constraint data_sources_counts_not_negative check (
    good_streak >= 0 and error_streak >= 0 and error_count >= 0 and latency_ms >= 0
  ),
  constraint data_sources_last_error_length check (length(last_error) <= 500)
);
create index data_sources_priority_idx on data_sources (priority, name);

-- The newest price of each registered source; not captured, since only the consensus reads it.
create table source_prices (
  symbol     text not null references symbols (symbol) on delete restrict,
  source     text not null references data_sources (name) on delete restrict,
  price      numeric(24, 8) not null,
  volume_24h numeric(24, 8),
  timestamp  timestamptz not null,
  sequence   bigint not null,
  primary key (symbol, source),
  constraint source_prices_price_range check (price > 0 and price <= 1e12),
  constraint source_prices_volume_range check (volume_24h between 0 and 9e15)
);

-- The price on which the registered sources agree, one row an instrument, and the breaker of its publication.
-- `agreed_price` is what they agree on, `price` what is published of it.
create table consensus_prices (
  symbol          text primary key references symbols (symbol) on delete restrict,
  price           numeric(24, 8) not null,
  agreed_price    numeric(24, 8) not null,
  confidence      numeric(5, 4) not null,
  source_count    integer not null,
  outliers        text[] not null default '{}',
  priced_at       timestamptz not null,
  recent          jsonb not null default '[]',
  breaker         text not null default 'CLOSED',
  tripped_at      timestamptz,
  tripped_price   numeric(24, 8),
  reference_price numeric(24, 8),
  in_band_since   timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  version         integer not null default 1,
  trace_id        char(32),
  constraint consensus_prices_range check (
    price > 0 and price <= 1e12 and agreed_price > 0 and agreed_price <= 1e12
  ),
  constraint consensus_prices_confidence_range check (confidence between 0 and 1),
  constraint consensus_prices_sources_positive check (source_count >= 1),
  constraint consensus_prices_breaker_known check (breaker in ('CLOSED', 'TRIPPED')),
  constraint consensus_prices_tripped_dated check (
    breaker = 'CLOSED' or (tripped_at is not null and tripped_price is not null and reference_price is not null)
  )
);

create trigger data_sources_touch before update on data_sources for each row execute function touch_row();
create trigger consensus_prices_touch before update on consensus_prices for each row execute function touch_row();

select capture('data_sources', 'name');
select capture('consensus_prices', 'symbol');
