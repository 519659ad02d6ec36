-- What is old and over moves out of the tables that are worked with, into archives beside them: `orders_archive`,
-- `trades_archive`, `positions_archive`. A row is in one of the two at any time. Views show both together.

-- Columns that the table has and its archive lacks are added to the archive, and the view is made anew. To be called
-- once more by a migration that adds a column to an archived table. `archived_at` comes first, so that columns can follow.
create function refresh_archive(relation regclass) returns void
  language plpgsql as $$
declare
  missing record;
  columns text;
begin
  for missing in
    select attname, format_type(atttypid, atttypmod) as type from pg_attribute as live
     where attrelid = relation and attnum > 0 and not attisdropped and not exists (
       select from pg_attribute where attrelid = (relation::text || '_archive')::regclass and attname = live.attname
          and attnum > 0 and not attisdropped)
     order by attnum
  loop
    execute format('alter table %s_archive add column %I %s', relation, missing.attname, missing.type);
  end loop;
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped;
  execute format('create or replace view all_%1$s as
                    select null::timestamptz as archived_at, %2$s from %1$s
                     union all select archived_at, %2$s from %1$s_archive', relation, columns);
end $$;

-- Moves the rows of these keys into the archive and says how many there were.
create function move_to_archive(relation regclass, key text, keys text[]) returns integer
  language plpgsql as $$
declare
  columns text;
  moved integer;
begin
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped;
  execute format('insert into %1$s_archive (%2$s) select %2$s from %1$s where %3$I = any($1)', relation, columns, key)
    using keys;
  execute format('delete from %s where %I = any($1)', relation, key) using keys;
  get diagnostics moved = row_count;
  return moved;
end $$;

create table orders_archive (
  archived_at timestamptz not null default now(),
  like orders,
  constraint orders_archive_pkey primary key (order_id),
  constraint orders_archive_strategy foreign key (strategy_id, account_id) references strategies (strategy_id, account_id)
    on update restrict on delete restrict
);
create unique index orders_archive_exchange_order_key on orders_archive (exchange_order_id, execution_venue)
  where exchange_order_id is not null;
create index orders_archive_created on orders_archive (created_at, order_id);
create index orders_archive_by_strategy on orders_archive (strategy_id, created_at, order_id);
create index orders_archive_by_account on orders_archive (account_id, created_at, order_id);
create index orders_archive_by_instrument on orders_archive (instrument_id, created_at, order_id);

create table trades_archive (
  archived_at timestamptz not null default now(),
  like trades,
  constraint trades_archive_pkey primary key (trade_id),
  constraint trades_archive_exchange_trade_key unique (exchange_trade_id, execution_venue)
);
create index trades_archive_executed on trades_archive (executed_at, trade_id);
create index trades_archive_by_order on trades_archive (order_id, executed_at, trade_id);
create index trades_archive_by_strategy on trades_archive (strategy_id, executed_at, trade_id);
create index trades_archive_by_account on trades_archive (account_id, executed_at, trade_id);
create index trades_archive_by_instrument on trades_archive (instrument_id, executed_at, trade_id);

create table positions_archive (
  archived_at timestamptz not null default now(),
  like positions,
  constraint positions_archive_pkey primary key (position_id),
  constraint positions_archive_strategy foreign key (strategy_id, account_id)
    references strategies (strategy_id, account_id) on update restrict on delete restrict
);
create index positions_archive_opened on positions_archive (opened_at, position_id);
create index positions_archive_by_strategy on positions_archive (strategy_id, opened_at, position_id);
create index positions_archive_by_account on positions_archive (account_id, opened_at, position_id);
create index positions_archive_by_instrument on positions_archive (instrument_id, opened_at, position_id);

select refresh_archive(relation::regclass) from unnest(array['orders', 'trades', 'positions']) as relation;

do $$
declare
  archive text;
begin
  foreach archive in array array['orders_archive', 'trades_archive', 'positions_archive'] loop
    execute format('create trigger %1$s_append_only before update or delete on %1$s
                      for each row execute function refuse_change()', archive);
    execute format('create trigger %1$s_no_truncate before truncate on %1$s
                      for each statement execute function refuse_change()', archive);
  end loop;
end $$;

-- A trade is never changed, and leaves only for the archive.
create function refuse_removal() returns trigger
  language plpgsql as $$
begin
  if not exists (select from trades_archive where trade_id = old.trade_id) then
    raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
  end if;
  return old;
end $$;

drop trigger trades_append_only on trades;
create trigger trades_append_only before update on trades for each row execute function refuse_change();
create trigger trades_archived_only before delete on trades for each row execute function refuse_removal();

-- What is archived keeps its ids. Looked for after the insert, when a row of the same key that is just being archived has
-- been waited for.
create function refuse_archived_order() returns trigger
  language plpgsql as $$
begin
  if exists (select from orders_archive where order_id = new.order_id) then
    raise exception 'order % is archived', new.order_id using errcode = 'unique_violation', constraint = 'orders_pkey';
  end if;
  return null;
end $$;

create function refuse_archived_trade() returns trigger
  language plpgsql as $$
begin
  if exists (select from trades_archive
              where exchange_trade_id = new.exchange_trade_id and execution_venue = new.execution_venue) then
    raise exception 'trade %/% is archived', new.execution_venue, new.exchange_trade_id
      using errcode = 'unique_violation', constraint = 'trades_exchange_trade_key';
  end if;
  return null;
end $$;

create trigger orders_not_archived after insert on orders for each row execute function refuse_archived_order();
create trigger trades_not_archived after insert on trades for each row execute function refuse_archived_trade();

-- What an archiving command looks for: what is over, the oldest first.
create index orders_ended on orders (updated_at, order_id) where status in ('filled', 'cancelled', 'rejected', 'expired');
create index positions_closed on positions (closed_at, position_id) where closed_at is not null;
