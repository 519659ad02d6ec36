-- The change feed of a domain: every committed change of its captured tables, whoever wrote it, kept for a while and
-- cut into ticks that readers follow. This script runs in every domain's schema; `capture()` is then called a table.
--
-- A trigger appends each row's new image to change_log in the writer's own transaction. A tick is the difference of two
-- snapshots: what the second sees and the first does not, in the order of seq. If a change follows another on one row,
-- its transaction could lock the row only after the other had committed, so any snapshot that sees it sees both, and
-- seq puts them in order. Nothing that commits late is missed, since snapshots are compared and not numbers.

-- Maintains updated_at and version, whoever writes the row. A transaction may have begun before the row it waited for
-- was written, so its own now() could lie before created_at; the clock does not.
create or replace function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := greatest(clock_timestamp(), old.updated_at);
  return new;
end $$;

-- The segment that is written now: one of a ring of eight, so that whole old segments can be emptied at once and no
-- table is ever made or dropped while the feed runs.
create table feed_segment (
  segment   smallint    not null check (segment between 0 and 7),
  opened_at timestamptz not null default clock_timestamp()
);
insert into feed_segment (segment) values (0);

create sequence change_log_seq;

create table change_log (
  segment  smallint    not null,
  seq      bigint      not null default nextval('change_log_seq'),
  -- The writer's transaction, not its savepoint.
  xid      xid8        not null default pg_current_xact_id(),
  relation text        not null,
  -- I, U or D.
  op       "char"      not null,
  key      text        not null,
  -- The row as JSON: camelCase names, numerics and bigints as text, instants in UTC without a zone. Of a deleted row
  -- its last image.
  row      json        not null,
  -- What the columns by which readers choose held before, where one of them changed.
  was      json,
  at       timestamptz not null default clock_timestamp()
) partition by list (segment);

-- Ticks lie in the segment that was written when they were taken. A tick holds what `snapshot` sees and `since` does not.
create table feed_ticks (
  segment  smallint    not null,
  id       bigint      not null,
  since    pg_snapshot not null,
  snapshot pg_snapshot not null,
  -- Everything committed until then is in this tick or in one before.
  at       timestamptz not null,
  primary key (id, segment)
) partition by list (segment);

do $$
begin
  for segment in 0..7 loop
    execute format('create table change_log_%s partition of change_log for values in (%s)', segment, segment);
    execute format('create table feed_ticks_%s partition of feed_ticks for values in (%s)', segment, segment);
  end loop;
end $$;

create index change_log_xid on change_log (xid);
create index change_log_order on change_log (seq); -- for ticks of many rows

-- One row. Whoever stores a tick moves `tick` from the one it has seen, which only one of two leaders can.
create table feed_state (
  -- Changes when the database is another one, or an earlier state of it: cursors of another epoch mean nothing.
  epoch       text        not null,
  identity    text        not null,
  tick        bigint      not null,
  snapshot    pg_snapshot not null,
  ticked_at   timestamptz not null default clock_timestamp(),
  -- What came after this tick is still there.
  oldest_tick bigint      not null,
  leader      text,
  led_since   timestamptz
);
-- The identity of no database: the first leader begins an epoch.
insert into feed_state (epoch, identity, tick, snapshot, oldest_tick) values ('', '', 0, pg_current_snapshot(), 0);

create table captured_tables (
  relation text   not null primary key,
  key      text   not null,
  -- Columns by which readers choose, such as account_id.
  routes   text[] not null,
  -- camelCase names of the columns that hold instants.
  instants text[] not null
);

create function camel_case(name text) returns text
  language sql immutable as $$
  select string_agg(case when place = 1 then part else upper(left(part, 1)) || substr(part, 2) end, '' order by place)
    from regexp_split_to_table(name, '_(?=[a-z0-9])') with ordinality as parts(part, place);
$$;

-- The SQL that makes a row's image, for a row variable of that name.
create function image_expression(relation regclass, of_row text) returns text
  language sql stable as $$
  select format('(select row_to_json(image) from (select %s) as image)', string_agg(
      format(
        case
          when atttypid in ('numeric'::regtype, 'bigint'::regtype) then '%s.%I::text as %I'
          when atttypid = 'timestamptz'::regtype then '%s.%I at time zone ''UTC'' as %I'
          else '%s.%I as %I'
        end, of_row, attname, camel_case(attname)), ', ' order by attnum))
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped;
$$;

-- Writes the trigger function of a captured table anew, after the table's columns. It names the segment that is written
-- now: to look that up, and to be led to it by the partitioned table, would cost a third of the capture of one row.
create function refresh_capture(relation regclass) returns void
  language plpgsql as $$
declare
  target captured_tables;
  schema text := current_schema();
  routes_old text;
  routes_new text;
  was text;
begin
  select * into strict target from captured_tables where captured_tables.relation = refresh_capture.relation::text;
  select string_agg(format('old.%I', route), ', '), string_agg(format('new.%I', route), ', '),
         string_agg(format('%L, old.%I', camel_case(route), route), ', ')
    into routes_old, routes_new, was from unnest(target.routes) as route;

  execute format($function$
    create or replace function %1$I.capture_%2$s() returns trigger language plpgsql as $body$
    begin
      if tg_op = 'DELETE' or tg_op = 'UPDATE' and old.%3$I is distinct from new.%3$I then
        insert into %1$I.change_log_%8$s (segment, relation, op, key, row)
        values (%8$s, %2$L, 'D', old.%3$I::text, %4$s);
      end if;
      if tg_op <> 'DELETE' then
        insert into %1$I.change_log_%8$s (segment, relation, op, key, row, was)
        values (%8$s, %2$L, case tg_op when 'INSERT' then 'I' else 'U' end::"char",
                new.%3$I::text, %5$s, %6$s);
      end if;
      return null;
    end $body$;

    create or replace function %1$I.capture_truncate_%2$s() returns trigger language plpgsql as $body$
    begin
      insert into %1$I.change_log_%8$s (segment, relation, op, key, row)
      select %8$s, %2$L, 'D', gone.%3$I::text, %7$s from %1$I.%2$s as gone;
      return null;
    end $body$
  $function$, schema, target.relation, target.key,
    image_expression(relation, 'old'), image_expression(relation, 'new'),
    case when was is null then 'null::json' else format(
      'case when tg_op = ''UPDATE'' and (%s) is distinct from (%s) then json_build_object(%s) end', routes_old, routes_new, was
    ) end,
    image_expression(relation, 'gone'),
    (select segment from feed_segment));

  update captured_tables set instants = array(
    select camel_case(attname) from pg_attribute
     where attrelid = refresh_capture.relation and atttypid = 'timestamptz'::regtype and attnum > 0 and not attisdropped
     order by attnum)
   where captured_tables.relation = target.relation;
end $$;

-- Captures a table from now on: its rows are known by `key`, and chosen by `routes`. The triggers also fire for writers
-- that apply changes of another database, and come first, so that what other triggers then write is logged after it.
create function capture(relation regclass, key text, routes text[] default '{}') returns void
  language plpgsql as $$
begin
  insert into captured_tables (relation, key, routes, instants) values (capture.relation::text, capture.key, capture.routes, '{}');
  perform refresh_capture(relation);
  execute format('create trigger "0_capture" after insert or update or delete on %1$s
                    for each row execute function capture_%1$s()', relation);
  execute format('create trigger "0_capture_truncate" before truncate on %1$s
                    for each statement execute function capture_truncate_%1$s()', relation);
  execute format('alter table %s enable always trigger "0_capture"', relation);
  execute format('alter table %s enable always trigger "0_capture_truncate"', relation);
end $$;

-- Makes every image follow its table's columns, which the migrator does after each migration, and the log its segment.
create function refresh_captures() returns void
  language sql as $$
  select refresh_capture(relation::regclass) from captured_tables order by relation;
$$;

-- The number of the transaction under way, and what it has written so far, the first rows of it; one row without a
-- relation where that is nothing. In PL/pgSQL, which plans it once a connection: every command asks.
create function own_writes(row_limit integer)
  returns table (xid text, relation text, key text, image text, was text)
  language plpgsql as $$
begin
  return query
    select own.xid::text, written.relation, written.key, written.image, written.was
      from (select pg_current_xact_id() as xid) as own
      left join lateral (
        select log.relation, log.key, log.row::text as image, log.was::text from change_log as log
         where log.segment = (select segment from feed_segment) and log.xid = own.xid limit row_limit) as written on true;
end $$;

-- What tells this database from every other, and from a copy or a promoted standby of it. The timeline is taken from
-- where the log is written: the control file learns of a promotion only by the next checkpoint.
create function database_identity() returns text
  language sql stable as $$
  select concat_ws('-', system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), oid)
    from pg_control_system(), pg_database where datname = current_database();
$$;

-- Takes the lead of the feed for this connection, and says whether it did. A leader that has been silent for longer than
-- `patience` (its process is paused, or its machine is gone) is put out of its connection, and so can store no tick.
-- One that does not take what PostgreSQL sends it is silent too.
create function take_lead(patience interval) returns boolean
  language plpgsql as $$
declare
  class constant integer := hashtext('change feed');
  object constant integer := hashtext(current_schema());
  holder integer;
begin
  if pg_try_advisory_lock(class, object) then
    return true;
  end if;
  select pid into holder from pg_locks join pg_stat_activity using (pid)
   where locktype = 'advisory' and classid = class::oid and objid = object::oid and objsubid = 2 and granted
     and pg_locks.database = (select oid from pg_database where datname = current_database())
     and (state <> 'active' or wait_event = 'ClientWrite') and clock_timestamp() - state_change > patience;
  if holder is not null then
    perform pg_terminate_backend(holder, 1000);
    return pg_try_advisory_lock(class, object);
  end if;
  return false;
end $$;

-- Begins the reign of a leader: its ticks are numbered after a gap that no lost tick of an earlier one can lie in (ticks
-- are committed without waiting for the disk; this is not). In another database than before it begins an epoch with an
-- empty log. Where more changes than `backlog_limit` have come since the last tick, nobody is told of them one by one:
-- what is kept begins here, and every reader begins anew.
create function begin_lead(leader_name text, backlog_limit bigint) returns feed_state
  language plpgsql as $$
declare
  state feed_state;
  here constant text := database_identity();
begin
  perform set_config('synchronous_commit', 'on', true);
  select * into strict state from feed_state for update;
  state.tick := state.tick + 1000 + floor(random() * 1000000000)::bigint;
  if state.identity <> here then
    -- The partitions one by one, not the tables they belong to: a writer holds a partition when it asks for its table.
    for segment in 0..7 loop
      execute format('truncate change_log_%s, feed_ticks_%s', segment, segment);
    end loop;
    state.epoch := left(replace(gen_random_uuid()::text, '-', ''), 12);
    state.identity := here;
    state.ticked_at := clock_timestamp();
    state.snapshot := pg_current_snapshot();
    state.oldest_tick := state.tick;
  elsif (select count(*) from (select from change_log where xid >= pg_snapshot_xmin(state.snapshot)
            and not pg_visible_in_snapshot(xid, state.snapshot) limit backlog_limit + 1) as waiting) > backlog_limit then
    state.ticked_at := clock_timestamp();
    state.snapshot := pg_current_snapshot();
    state.oldest_tick := state.tick;
  end if;
  state.leader := leader_name;
  state.led_since := clock_timestamp();
  insert into feed_ticks (segment, id, since, snapshot, at)
  select segment, state.tick, state.snapshot, state.snapshot, state.ticked_at from feed_segment;
  update feed_state set (epoch, identity, tick, snapshot, ticked_at, oldest_tick, leader, led_since) =
    (state.epoch, state.identity, state.tick, state.snapshot, state.ticked_at, state.oldest_tick, state.leader, state.led_since);
  return state;
end $$;

-- Opens the ring's next segment when the current one is old or large enough, and the next may be emptied: it holds only
-- what is older than `keep`, or the log as a whole is larger than `max_bytes`. Says whether it did. A change that no tick
-- has taken yet is never thrown away.
create function turn_segment(keep interval, max_bytes bigint) returns boolean
  language plpgsql as $$
declare
  current feed_segment;
  next smallint;
  last_xid xid8;
  newest timestamptz;
  oldest bigint;
  state feed_state;
begin
  select * into strict current from feed_segment;
  next := (current.segment + 1) % 8;
  if clock_timestamp() - current.opened_at < keep / 6
     and pg_total_relation_size(format('change_log_%s', current.segment)::regclass) < max_bytes / 8 then
    return false;
  end if;
  execute format('lock table change_log_%s, feed_ticks_%s in access exclusive mode', next, next);
  execute format('select max(xid), max(at) from change_log_%s', next) into last_xid, newest;
  if last_xid is not null then
    select * into strict state from feed_state for update;
    if newest > clock_timestamp() - keep and log_bytes() < max_bytes / 8 * 7 then
      return false;
    end if;
    -- The first tick in which, or before which, are all changes that are to go.
    execute format('select min(id) from feed_ticks as tick where pg_snapshot_xmax(snapshot) > $1 and not exists (
        select from change_log_%s where xid >= pg_snapshot_xmin(tick.snapshot) and not pg_visible_in_snapshot(xid, tick.snapshot))',
      next) into oldest using last_xid;
    if oldest is null then
      return false;
    end if;
    update feed_state set oldest_tick = greatest(oldest_tick, oldest);
    execute format('truncate change_log_%s', next);
  end if;
  -- Ticks that somebody may still stand at: the last one, where nothing has happened for a long time.
  execute format('insert into feed_ticks select $1, id, since, snapshot, at from feed_ticks_%s
                   where id >= (select oldest_tick from feed_state)', next) using current.segment;
  execute format('truncate feed_ticks_%s', next);
  update feed_segment set segment = next, opened_at = clock_timestamp();
  perform refresh_captures(); -- a transaction under way may still write to the segment before
  return true;
end $$;

-- Size of the log on disk, its indexes included.
create function log_bytes() returns bigint
  language sql stable as $$
  select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits
   where inhparent in ('change_log'::regclass, 'feed_ticks'::regclass);
$$;
