-- Market data: instruments, prices, candles, tickers and order books.
-- Names are unqualified on purpose: the connection's search_path decides the schema.

-- Maintains updated_at and version, whoever writes the row.
create function touch_row() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  new.version := old.version + 1;
  return new;
end
$$;

create table assets (
  code       text primary key,
  name       text,
  kind       text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version    integer not null default 1,
  trace_id   char(32),
  constraint assets_code_spelling check (code ~ '^[A-Z0-9]{1,20}$'),
  constraint assets_name_length check (length(name) between 1 and 200),
  constraint assets_kind_known check (kind in ('crypto', 'stablecoin', 'fiat'))
);

create table symbols (
  symbol_id                 uuid primary key default gen_random_uuid(),
  symbol                    text not null,
  base_currency             text not null references assets (code) on delete restrict,
  quote_currency            text not null references assets (code) on delete restrict,
  kind                      text not null generated always as
                              (case when symbol like '%-PERP' then 'perpetual' else 'spot' end) stored,
  display_name              text,
  is_active                 boolean not null default true,
  min_price_movement        numeric(24, 8),
  min_order_size            numeric(24, 8),
  max_order_size            numeric(24, 8),
  price_decimals            integer,
  circuit_breaker_threshold numeric(10, 4) not null default 0.20,
  depeg_alert_threshold     numeric(10, 4),
  metadata                  jsonb not null default '{}',
  created_at                timestamptz not null default now(),
  updated_at                timestamptz not null default now(),
  version                   integer not null default 1,
  trace_id                  char(32),
  constraint symbols_symbol_key unique (symbol),
  constraint symbols_symbol_spelling check (
    symbol in (base_currency || '-' || quote_currency, base_currency || '-' || quote_currency || '-PERP')
  ),
  constraint symbols_base_differs_from_quote check (base_currency <> quote_currency),
  constraint symbols_display_name_length check (length(display_name) between 1 and 200),
  constraint symbols_tick_positive check (min_price_movement > 0 and min_price_movement <= 1e12),
  constraint symbols_order_sizes_positive check (min_order_size > 0 and max_order_size > 0),
  constraint symbols_order_sizes_ordered check (min_order_size <= max_order_size),
  constraint symbols_price_decimals_range check (price_decimals between 0 and 8),
  constraint symbols_circuit_breaker_range check (circuit_breaker_threshold > 0 and circuit_breaker_threshold <= 1),
  constraint symbols_depeg_alert_range check (depeg_alert_threshold > 0 and depeg_alert_threshold <= 1),
  constraint symbols_metadata_is_object check (jsonb_typeof(metadata) = 'object'),
  constraint symbols_metadata_size check (octet_length(metadata::text) <= 65536)
);
create index symbols_pair_idx on symbols (base_currency, quote_currency);
create index symbols_quote_idx on symbols (quote_currency);
create index symbols_active_idx on symbols (is_active);
create index symbols_created_idx on symbols (created_at, symbol);

-- Where an instrument trades and on what terms: each venue has its own spelling, steps and minimum.
create table instrument_venues (
  instrument_venue_id uuid primary key default gen_random_uuid(),
  symbol              text not null references symbols (symbol) on delete restrict,
  venue_id            text not null,
  venue_symbol        text not null,
  tick_size           numeric(24, 8),
  lot_size            numeric(24, 8),
  min_order_size      numeric(24, 8),
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  version             integer not null default 1,
  trace_id            char(32),
  constraint instrument_venues_symbol_venue_key unique (symbol, venue_id),
  constraint instrument_venues_venue_spelling check (venue_id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(venue_id) <= 63),
  constraint instrument_venues_venue_symbol_length check (length(venue_symbol) between 1 and 100),
  constraint instrument_venues_sizes_positive check (tick_size > 0 and lot_size > 0 and min_order_size > 0)
);

-- Ticks: trade prints and quotes. Append-only; several may share a moment, the source's sequence tells them apart.
-- The unique key, read backwards, also serves "newest first" of a symbol.
create table price_feeds (
  feed_id        uuid not null default gen_random_uuid(),
  symbol         text not null,
  source         text not null,
  timestamp      timestamptz not null,
  sequence       bigint not null default 0,
  price          numeric(24, 8) not null,
  bid            numeric(24, 8),
  ask            numeric(24, 8),
  bid_size       numeric(24, 8),
  ask_size       numeric(24, 8),
  quantity       numeric(24, 8),
  taker_side     text,
  volume_24h     numeric(24, 8),
  confidence     numeric(5, 4),
  is_manipulated boolean not null default false,
  metadata       jsonb,
  created_at     timestamptz not null default now(),
  trace_id       char(32),
  primary key (feed_id, timestamp),
  constraint price_feeds_tick_key unique (symbol, timestamp, sequence, source),
  constraint price_feeds_source_length check (length(source) between 1 and 100),
  constraint price_feeds_sequence_not_negative check (sequence >= 0),
  constraint price_feeds_prices_range check (price > 0 and bid > 0 and price <= 1e12 and ask <= 1e12),
  constraint price_feeds_bid_at_most_ask check (bid <= ask),
  constraint price_feeds_sizes_range check (
    bid_size between 0 and 9e15 and ask_size between 0 and 9e15 and volume_24h between 0 and 9e15
  ),
  constraint price_feeds_quantity_range check (quantity > 0 and quantity <= 9e15),
  constraint price_feeds_taker_side_known check (taker_side in ('BUY', 'SELL')),
  constraint price_feeds_confidence_range check (confidence between 0 and 1),
  constraint price_feeds_metadata_size check (octet_length(metadata::text) <= 65536)
) partition by range (timestamp);
-- Lists across symbols, newest first.
create index price_feeds_time_idx on price_feeds (timestamp);

create function candle_duration(candle_interval text) returns interval language sql immutable parallel safe as $$
  select case candle_interval
    when '1m' then interval '1 minute'
    when '5m' then interval '5 minutes'
    when '15m' then interval '15 minutes'
    when '1h' then interval '1 hour'
    when '4h' then interval '4 hours'
    when '1d' then interval '24 hours'
  end
$$;

-- Bars of the intervals 1m to 1d. A REPORTED bar came from a source; a ROLLED_UP bar is computed from the next lower
-- interval and never takes the place of a reported one.
create table candles (
  candle_id       uuid not null default gen_random_uuid(),
  symbol          text not null,
  "interval"      text not null,
  start_time      timestamptz not null,
  end_time        timestamptz not null,
  open            numeric(24, 8) not null,
  high            numeric(24, 8) not null,
  low             numeric(24, 8) not null,
  close           numeric(24, 8) not null,
  volume          numeric(24, 8) not null,
  vwap            numeric(24, 8),
  turnover        numeric(48, 16),
  num_trades      integer,
  is_closed       boolean not null,
  origin          text not null,
  covered_minutes integer not null,
  source          text,
  metadata        jsonb,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  version         integer not null default 1,
  trace_id        char(32),
  primary key (candle_id, start_time),
  constraint candles_bar_key unique (symbol, "interval", start_time),
  constraint candles_interval_known check ("interval" in ('1m', '5m', '15m', '1h', '4h', '1d')),
  constraint candles_end_follows_interval check (end_time = start_time + candle_duration("interval")),
  constraint candles_start_aligned check (
    start_time = date_bin(candle_duration("interval"), start_time, timestamptz '1970-01-01 00:00:00+00')
  ),
  constraint candles_prices_range check (low > 0 and high <= 1e12),
  constraint candles_low_is_lowest check (low <= least(open, close)),
  constraint candles_high_is_highest check (high >= greatest(open, close)),
  constraint candles_vwap_within_range check (vwap between low and high),
  constraint candles_volume_range check (volume between 0 and 9e15),
  constraint candles_turnover_known_with_vwap check (vwap is null or turnover is not null),
  constraint candles_num_trades_not_negative check (num_trades >= 0),
  constraint candles_origin_known check (origin in ('REPORTED', 'ROLLED_UP')),
  constraint candles_covered_minutes_range check (
    covered_minutes >= 1 and covered_minutes * interval '1 minute' <= candle_duration("interval")
  ),
  constraint candles_source_length check (length(source) between 1 and 100),
  constraint candles_metadata_size check (octet_length(metadata::text) <= 65536)
) partition by range (start_time);
-- Lists across symbols, newest first.
create index candles_time_idx on candles (start_time);
-- The few rolled-up bars whose period is not over yet.
create index candles_open_rolled_up_idx on candles (symbol, end_time) where origin = 'ROLLED_UP' and not is_closed;

-- The current top of market of each instrument: one row a symbol, advanced in place by newer observations only.
create table tickers (
  symbol                   text primary key references symbols (symbol) on delete restrict,
  source                   text not null,
  timestamp                timestamptz not null,
  sequence                 bigint not null default 0,
  last_price               numeric(24, 8) not null,
  bid                      numeric(24, 8),
  ask                      numeric(24, 8),
  spread                   numeric(24, 8) generated always as (ask - bid) stored,
  quoted_at                timestamptz,
  volume_24h               numeric(24, 8),
  price_change_24h         numeric(24, 8),
  price_change_percent_24h numeric(38, 8),
  metadata                 jsonb,
  created_at               timestamptz not null default now(),
  updated_at               timestamptz not null default now(),
  version                  integer not null default 1,
  trace_id                 char(32),
  constraint tickers_source_length check (length(source) between 1 and 100),
  constraint tickers_prices_range check (last_price > 0 and bid > 0 and last_price <= 1e12 and ask <= 1e12),
  constraint tickers_bid_at_most_ask check (bid <= ask),
  constraint tickers_quote_dated check (quoted_at is not null or (bid is null and ask is null)),
  constraint tickers_volume_range check (volume_24h between 0 and 9e15),
  constraint tickers_metadata_size check (octet_length(metadata::text) <= 65536)
);

-- Every state a ticker has been in. Append-only.
create table market_snapshots (
  snapshot_id              uuid primary key default gen_random_uuid(),
  symbol                   text not null references symbols (symbol) on delete restrict,
  source                   text not null,
  timestamp                timestamptz not null,
  sequence                 bigint not null default 0,
  last_price               numeric(24, 8) not null,
  bid                      numeric(24, 8),
  ask                      numeric(24, 8),
  spread                   numeric(24, 8) generated always as (ask - bid) stored,
  quoted_at                timestamptz,
  volume_24h               numeric(24, 8),
  price_change_24h         numeric(24, 8),
  price_change_percent_24h numeric(38, 8),
  metadata                 jsonb,
  created_at               timestamptz not null default now(),
  trace_id                 char(32),
  constraint market_snapshots_moment_key unique (symbol, timestamp, sequence, source),
  constraint market_snapshots_source_length check (length(source) between 1 and 100),
  constraint market_snapshots_prices_range check (last_price > 0 and bid > 0 and last_price <= 1e12 and ask <= 1e12),
  constraint market_snapshots_bid_at_most_ask check (bid <= ask),
  constraint market_snapshots_quote_dated check (quoted_at is not null or (bid is null and ask is null)),
  constraint market_snapshots_volume_range check (volume_24h between 0 and 9e15),
  constraint market_snapshots_metadata_size check (octet_length(metadata::text) <= 65536)
);
create index market_snapshots_time_idx on market_snapshots (timestamp);

-- Bids and asks are arrays of ["price", "quantity"], best first, decimals as text. Append-only.
create table order_book_snapshots (
  snapshot_id uuid primary key default gen_random_uuid(),
  symbol      text not null references symbols (symbol) on delete restrict,
  venue_id    text not null,
  timestamp   timestamptz not null,
  sequence    bigint not null,
  depth       integer not null generated always as
                (greatest(jsonb_array_length(bids), jsonb_array_length(asks))) stored,
  bids        jsonb not null,
  asks        jsonb not null,
  created_at  timestamptz not null default now(),
  trace_id    char(32),
  constraint order_book_snapshots_sequence_key unique (symbol, venue_id, sequence),
  constraint order_book_snapshots_sequence_not_negative check (sequence >= 0),
  constraint order_book_snapshots_venue_spelling check (venue_id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(venue_id) <= 63),
  constraint order_book_snapshots_depth_range check (depth between 1 and 100),
  constraint order_book_snapshots_not_crossed check ((bids -> 0 ->> 0)::numeric < (asks -> 0 ->> 0)::numeric)
);
create index order_book_snapshots_time_idx on order_book_snapshots (timestamp);
create index order_book_snapshots_symbol_time_idx on order_book_snapshots (symbol, timestamp desc, sequence desc);

create table idempotency_keys (
  key          text primary key,
  operation    text not null,
  request_hash text not null,
  result       jsonb,
  created_at   timestamptz not null default now()
);
create index idempotency_keys_created_idx on idempotency_keys (created_at);

create trigger assets_touch before update on assets for each row execute function touch_row();
create trigger symbols_touch before update on symbols for each row execute function touch_row();
create trigger instrument_venues_touch before update on instrument_venues for each row execute function touch_row();
create trigger candles_touch before update on candles for each row execute function touch_row();
create trigger tickers_touch before update on tickers for each row execute function touch_row();

-- Price feeds and candles carry no foreign key to symbols: a check a row would cost a third of the bulk load. One check
-- a statement gives the same promise, for every writer that writes through the parent table.
create function refuse_unknown_symbols() returns trigger language plpgsql as $$
declare
  unknown text;
begin
  select string_agg(distinct written.symbol, ', ') into unknown
    from written where not exists (select from symbols where symbols.symbol = written.symbol);
  if unknown is not null then
    raise foreign_key_violation using message = format('%s: unknown symbols: %s', tg_table_name, unknown);
  end if;
  return null;
end
$$;
create trigger price_feeds_symbol_known after insert on price_feeds
  referencing new table as written for each statement execute function refuse_unknown_symbols();
create trigger candles_symbol_known after insert on candles
  referencing new table as written for each statement execute function refuse_unknown_symbols();

-- An instrument that prices or candles speak of stays.
create function refuse_orphans() returns trigger language plpgsql as $$
begin
  if exists (select from price_feeds where symbol = old.symbol) or exists (select from candles where symbol = old.symbol) then
    raise foreign_key_violation using message = format('symbol %s is still referenced by prices or candles', old.symbol);
  end if;
  return old;
end
$$;
create trigger symbols_keep_history before delete on symbols for each row execute function refuse_orphans();

-- Ticks, ticker states and order books in the order they happened: several share an instant, their sequence decides.
-- (timestamp, position) is unique, and so fit for cursors.
create view price_feed_list as
  select price_feeds.*, lpad(sequence::text, 19, '0') || ' ' || symbol || ' ' || source as position from price_feeds;
create view market_snapshot_list as
  select market_snapshots.*, lpad(sequence::text, 19, '0') || ' ' || symbol || ' ' || source as position
    from market_snapshots;
create view order_book_snapshot_list as
  select order_book_snapshots.*, lpad(sequence::text, 19, '0') || ' ' || symbol || ' ' || venue_id as position
    from order_book_snapshots;

-- Reads the catalogue as committed by now. (to_regclass answers from a cache that does not hear of tables made while
-- this session waited for a lock.)
create function has_partition(parent text, partition_name text) returns boolean language plpgsql as $$
begin
  return exists (
    select from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = parent::regclass and relname = partition_name
  );
end
$$;

-- Makes sure a partition exists for each of the moments. Run it in a transaction of its own before writing rows: it
-- takes only SHARE UPDATE EXCLUSIVE on the parent (readers and writers go on), creators queue behind one advisory
-- lock, and an existing partition costs one catalogue look-up. There is no DEFAULT partition: rows in it would block
-- the partition they belong to.
create function ensure_partitions(parent text, unit text, moments timestamptz[]) returns integer language plpgsql as $$
declare
  lower_bound timestamp;
  partition_name text;
  created integer := 0;
begin
  for lower_bound in
    select distinct date_trunc(unit, moment at time zone 'UTC') from unnest(moments) as moment order by 1
  loop
    partition_name := parent || '_' || to_char(lower_bound, case unit when 'day' then 'YYYYMMDD' else 'YYYYMM' end);
    continue when has_partition(parent, partition_name);
    perform pg_advisory_xact_lock(hashtextextended(format('%s.partitions:%s', current_schema(), parent), 0));
    continue when has_partition(parent, partition_name);
    execute format('create table %I (like %I including all)', partition_name, parent);
    execute format(
      'alter table %I attach partition %I for values from (%L) to (%L)',
      parent, partition_name, lower_bound at time zone 'UTC', (lower_bound + ('1 ' || unit)::interval) at time zone 'UTC'
    );
    created := created + 1;
  end loop;
  return created;
end
$$;

-- Price feeds are partitioned by UTC day, candles by UTC month of their start.
create function ensure_price_feed_partitions(moments timestamptz[]) returns integer language sql as $$
  select ensure_partitions('price_feeds', 'day', moments)
$$;
create function ensure_candle_partitions(moments timestamptz[]) returns integer language sql as $$
  select ensure_partitions('candles', 'month', moments)
$$;

-- Row counts are exact where tables are small and the planner's estimate where they are large.
create function health_check() returns json language sql stable as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'symbols', (select count(*) from symbols),
    'tickers', (select count(*) from tickers),
    'estimated_price_feeds', (select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class
      join pg_inherits on inhrelid = oid where inhparent = 'price_feeds'::regclass),
    'estimated_candles', (select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class
      join pg_inherits on inhrelid = oid where inhparent = 'candles'::regclass),
    'estimated_order_book_snapshots',
      (select greatest(reltuples, 0)::bigint from pg_class where oid = 'order_book_snapshots'::regclass)
  )
$$;
