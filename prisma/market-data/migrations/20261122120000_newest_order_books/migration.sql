-- The newest recorded book of each instrument on each venue, so that it can be followed: to capture every book whole would
-- cost more than to store it, and books that are filled in later are news to nobody. Kept by the books' table itself,
-- whoever writes it.

create table newest_order_books (
  market      text primary key,
  symbol      text not null,
  venue_id    text not null,
  snapshot_id uuid not null,
  timestamp   timestamptz not null,
  sequence    bigint not null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  version     integer not null default 1,
  trace_id    char(32),
  constraint newest_order_books_market_named check (market = symbol || ' ' || venue_id)
);
create index newest_order_books_symbol_idx on newest_order_books (symbol, venue_id);

create trigger newest_order_books_touch before update on newest_order_books for each row execute function touch_row();

-- One change a market, however many of its books a statement stores; in one order, so that two writers never deadlock.
create function follow_recorded_order_books() returns trigger language plpgsql as $$
begin
  insert into newest_order_books as kept (market, symbol, venue_id, snapshot_id, timestamp, sequence, trace_id)
  select distinct on (symbol, venue_id)
         symbol || ' ' || venue_id, symbol, venue_id, snapshot_id, timestamp, sequence, trace_id
    from recorded order by symbol, venue_id, sequence desc
  on conflict (market) do update set
    snapshot_id = excluded.snapshot_id, timestamp = excluded.timestamp, sequence = excluded.sequence,
    trace_id = excluded.trace_id
  where excluded.sequence > kept.sequence;
  return null;
end
$$;

-- Where the newest book is removed, the newest of those that are left takes its place, if there is one.
create function follow_removed_order_books() returns trigger language plpgsql as $$
declare
  bereft text[];
begin
  bereft := array(
    select market from newest_order_books as kept
     where exists (select from removed where removed.snapshot_id = kept.snapshot_id)
     order by symbol, venue_id for update);
  if bereft = '{}' then
    return null;
  end if;
  update newest_order_books as kept
     set snapshot_id = left_over.snapshot_id, timestamp = left_over.timestamp, sequence = left_over.sequence,
         trace_id = left_over.trace_id
    from (select market, book.* from newest_order_books cross join lateral (
            select snapshot_id, timestamp, sequence, trace_id from order_book_snapshots as books
             where books.symbol = newest_order_books.symbol and books.venue_id = newest_order_books.venue_id
             order by sequence desc limit 1) as book
           where market = any(bereft)) as left_over
   where kept.market = left_over.market;
  delete from newest_order_books as kept
   where market = any(bereft)
     and not exists (select from order_book_snapshots as books where books.symbol = kept.symbol and books.venue_id = kept.venue_id);
  return null;
end
$$;

create trigger order_book_snapshots_recorded after insert on order_book_snapshots
  referencing new table as recorded for each statement execute function follow_recorded_order_books();
create trigger order_book_snapshots_removed after delete on order_book_snapshots
  referencing old table as removed for each statement execute function follow_removed_order_books();

-- From here on nobody else writes books, until this is committed.
insert into newest_order_books (market, symbol, venue_id, snapshot_id, timestamp, sequence, trace_id)
select distinct on (symbol, venue_id)
       symbol || ' ' || venue_id, symbol, venue_id, snapshot_id, timestamp, sequence, trace_id
  from order_book_snapshots order by symbol, venue_id, sequence desc;

select capture('newest_order_books', 'market', '{symbol, venue_id}');
