-- Prices are stored, and what they move is published, by one statement: the way to PostgreSQL and back costs more than
-- what is done there.

-- The change from `before` to `last` in percent, rounded half-even to 8 places as all figures of the market are.
create function percent_change(last numeric, before numeric) returns numeric language plpgsql immutable strict as $$
declare
  wanted constant numeric := (last - before) * 1e10;
  floor_of constant numeric := div(wanted, before);
  twice_rest constant numeric := abs(wanted - floor_of * before) * 2;
begin
  return (floor_of + case when twice_rest > before or twice_rest = before and mod(floor_of, 2) <> 0
                          then sign(wanted) else 0 end) * 1e-8;
end
$$;

-- The 24-hour figures at an instant: the price before is the last tick, else the last one-minute close, of the day that
-- ended 24 hours before; the volume is the sum of the one-minute bars of the last 24 hours. What is not known is null.
-- Between `oldest` and `newest` lie the two days before each of the instants that are asked for together: the planner
-- knows them beforehand, and leaves the partitions of other days and months alone.
create function price_day_before(of_symbol text, at timestamptz, oldest timestamptz, newest timestamptz)
  returns table (before numeric) language sql stable as $$
  select coalesce(
    (select price from price_feeds
      where symbol = of_symbol and timestamp <= at - interval '24 hours' and timestamp > at - interval '48 hours'
        and timestamp >= oldest and timestamp <= newest
      order by timestamp desc, sequence desc limit 1),
    (select close from candles
      where symbol = of_symbol and "interval" = '1m' and end_time <= at - interval '24 hours'
        and start_time > at - interval '48 hours' and start_time >= oldest and start_time <= newest
      order by start_time desc limit 1))
$$;
create function volume_of_day(of_symbol text, at timestamptz, oldest timestamptz, newest timestamptz)
  returns table (volume numeric) language sql stable as $$
  select sum(volume) from candles
   where symbol = of_symbol and "interval" = '1m' and start_time >= at - interval '24 hours' and start_time < at
     and start_time >= oldest and start_time <= newest
$$;

-- Moves tickers on where what was seen is newer, and keeps what they became in the history. One observation a symbol. One
-- without a quote, or with an older one, leaves bid and ask as they were; one
-- without a volume leaves the volume. `befores` are the prices 24 hours before. What is missing of those and of the volumes
-- is looked for, unless `is_complete` says that it has been.
create function advance_tickers(
  is_complete boolean, symbols text[], sources text[], timestamps timestamptz[], sequences bigint[], last_prices numeric[],
  bids numeric[], asks numeric[], quoted_ats timestamptz[], volumes numeric[], befores numeric[], metadatas jsonb[],
  trace_ids text[]
) returns void language plpgsql as $$
#variable_conflict use_column
declare
  oldest timestamptz;
  newest timestamptz;
begin
  if not is_complete then
    select min(moment) - interval '48 hours', max(moment) into oldest, newest from unnest(timestamps) as moment;
    select array_agg(coalesce(seen.volume, day.volume) order by place), array_agg(coalesce(seen.before, day_before.before) order by place)
      into volumes, befores
      from unnest(symbols, timestamps, volumes, befores) with ordinality as seen (symbol, at, volume, before, place)
     cross join lateral volume_of_day(symbol, at, oldest, newest) as day
     cross join lateral price_day_before(symbol, at, oldest, newest) as day_before;
  end if;
  -- Rows are locked in the order of their symbols, so that two writers never deadlock.
  with advanced as (
    insert into tickers as kept (symbol, source, timestamp, sequence, last_price, bid, ask, quoted_at, volume_24h,
                                 price_change_24h, price_change_percent_24h, metadata, trace_id)
    select symbol, source, timestamp, sequence, last_price, bid, ask, quoted_at, volume, last_price - before,
           percent_change(last_price, before), metadata, trace_id
      from unnest(symbols, sources, timestamps, sequences, last_prices, bids, asks, quoted_ats, volumes, befores, metadatas,
                  trace_ids)
        as seen (symbol, source, timestamp, sequence, last_price, bid, ask, quoted_at, volume, before, metadata, trace_id)
     order by symbol
    on conflict (symbol) do update set
      source = excluded.source, timestamp = excluded.timestamp, sequence = excluded.sequence,
      last_price = excluded.last_price, volume_24h = coalesce(excluded.volume_24h, kept.volume_24h),
      price_change_24h = excluded.price_change_24h, price_change_percent_24h = excluded.price_change_percent_24h,
      metadata = excluded.metadata, trace_id = excluded.trace_id,
      bid = case when excluded.quoted_at >= coalesce(kept.quoted_at, '-infinity') then excluded.bid else kept.bid end,
      ask = case when excluded.quoted_at >= coalesce(kept.quoted_at, '-infinity') then excluded.ask else kept.ask end,
      quoted_at = greatest(excluded.quoted_at, kept.quoted_at)
    where (excluded.timestamp, excluded.sequence) > (kept.timestamp, kept.sequence)
    returning *)
  insert into market_snapshots (symbol, source, timestamp, sequence, last_price, bid, ask, quoted_at, volume_24h,
                                price_change_24h, price_change_percent_24h, metadata, trace_id)
  select symbol, source, timestamp, sequence, last_price, bid, ask, quoted_at, volume_24h, price_change_24h,
         price_change_percent_24h, metadata, trace_id from advanced
  on conflict do nothing;
end
$$;

-- Stores ticks, and publishes what was seen with them where nothing stands between: no source among those heard is
-- registered, no scenario bends one of the prices, no consensus guards one. The tickers are locked first, in the order of
-- their symbols, by whoever publishes a price or bends it: what is read afterwards is as the one before has left it.
-- `only_published` is for who has no transaction around it: nothing is stored unless all of it can be published, and the
-- instruments must be active. `traceparent` is null where the transaction knows its trace already.
create function store_prices(
  only_published boolean, traceparent text, heard text[],
  ids uuid[], symbols text[], sources text[], timestamps timestamptz[], sequences bigint[], prices numeric[],
  bids numeric[], asks numeric[], bid_sizes numeric[], ask_sizes numeric[], quantities numeric[], taker_sides text[],
  volumes numeric[], confidences numeric[], metadatas jsonb[], trace_ids text[],
  is_complete boolean, seen_symbols text[], seen_sources text[], seen_timestamps timestamptz[], seen_sequences bigint[],
  seen_prices numeric[], seen_bids numeric[], seen_asks numeric[], seen_quoted_ats timestamptz[],
  seen_volumes numeric[], seen_befores numeric[], seen_metadatas jsonb[], seen_trace_ids text[],
  -- The number of the transaction; null where nothing was done.
  out xid text,
  -- The ids of the ticks that are new; null when all of them are.
  out new_ids uuid[],
  -- Of who has no transaction around it: the tickers that moved, as the feed will tell them.
  out moved text[],
  -- Whether what was seen is published, and what stands between where it is not.
  out is_published boolean, out is_registered boolean, out is_bent boolean, out guarded text[]
) language plpgsql as $$
#variable_conflict use_column
declare
  is_tradable boolean;
begin
  if traceparent is not null then
    perform set_config('graph.traceparent', traceparent, true);
  end if;
  perform from tickers where symbol = any(seen_symbols) order by symbol for no key update;
  select exists (select from data_sources where name = any(heard) and is_enabled),
         exists (select from price_manipulations where symbol = any(seen_symbols) and state = 'ACTIVE'),
         array(select symbol from consensus_prices where symbol = any(seen_symbols)),
         not only_published
         or (select count(*) from symbols as known where known.symbol = any(seen_symbols) and is_active) = cardinality(seen_symbols)
    into is_registered, is_bent, guarded, is_tradable;
  is_published := not is_registered and not is_bent and guarded = '{}' and is_tradable;
  if only_published and not is_published then
    return;
  end if;
  xid := pg_current_xact_id();
  if cardinality(ids) > 0 then
    with stored as (
      insert into price_feeds (feed_id, symbol, source, timestamp, sequence, price, bid, ask, bid_size, ask_size, quantity,
                               taker_side, volume_24h, confidence, metadata, trace_id)
      select * from unnest(ids, store_prices.symbols, sources, timestamps, sequences, prices, bids, asks, bid_sizes,
                           ask_sizes, quantities, taker_sides, volumes, confidences, metadatas, trace_ids)
        as tick (id, symbol, source, timestamp, sequence, price, bid, ask, bid_size, ask_size, quantity, taker_side, volume,
                 confidence, metadata, trace_id)
       order by symbol, timestamp, sequence, source
      on conflict do nothing returning feed_id)
    select array_agg(feed_id) into new_ids from stored;
    new_ids := case when cardinality(new_ids) = cardinality(ids) then null else coalesce(new_ids, '{}') end;
  end if;
  if is_published and cardinality(seen_symbols) > 0 then
    perform advance_tickers(is_complete, seen_symbols, seen_sources, seen_timestamps, seen_sequences, seen_prices, seen_bids, seen_asks,
                             seen_quoted_ats, seen_volumes, seen_befores, seen_metadatas, seen_trace_ids);
    if only_published then
      moved := array(select image from own_writes(cardinality(seen_symbols)) where image is not null);
    end if;
  end if;
end
$$;
