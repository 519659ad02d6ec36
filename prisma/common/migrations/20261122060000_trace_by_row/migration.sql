-- A transaction may write for several requests: it then sets graph.traceparent to 'row', and each row's trace_id says for
-- which it was written, also where that is the one it held before.

-- Writes the trigger function of a captured table anew, after the table's columns. It names the segment that is written
-- now: to look that up, and to be led to it by the partitioned table, would cost a third of the capture of one row. A
-- trace_id that a writer has left as it was is that of an earlier change, unless the transaction says that it is each row's own.
create or replace function refresh_capture(relation regclass) returns void
  language plpgsql as $$
declare
  target captured_tables;
  schema text := current_schema();
  routes_old text;
  routes_new text;
  was text;
  trace constant text := $sql$nullif(nullif(current_setting('graph.traceparent', true), ''), 'row')$sql$;
  trace_new text := trace;
begin
  select * into strict target from captured_tables where captured_tables.relation = refresh_capture.relation::text;
  select string_agg(format('old.%I', route), ', '), string_agg(format('new.%I', route), ', '),
         string_agg(format('%L, old.%I', camel_case(route), route), ', ')
    into routes_old, routes_new, was from unnest(target.routes) as route;
  if exists (select from pg_attribute where attrelid = refresh_capture.relation and attname = 'trace_id' and not attisdropped) then
    trace_new := format(
      'coalesce(%s, case when tg_op = ''INSERT'' or new.trace_id is distinct from old.trace_id
                              or current_setting(''graph.traceparent'', true) = ''row'' then new.trace_id::text end)',
      trace);
  end if;

  execute format($function$
    create or replace function %1$I.capture_%2$s() returns trigger language plpgsql as $body$
    begin
      if tg_op = 'DELETE' or tg_op = 'UPDATE' and old.%3$I is distinct from new.%3$I then
        insert into %1$I.change_log_%8$s (segment, relation, op, key, row, trace)
        values (%8$s, %2$L, 'D', old.%3$I::text, %4$s, %9$s);
      end if;
      if tg_op <> 'DELETE' then
        insert into %1$I.change_log_%8$s (segment, relation, op, key, row, was, trace)
        values (%8$s, %2$L, case tg_op when 'INSERT' then 'I' else 'U' end::"char",
                new.%3$I::text, %5$s, %6$s, %10$s);
      end if;
      return null;
    end $body$;

    create or replace function %1$I.capture_truncate_%2$s() returns trigger language plpgsql as $body$
    begin
      insert into %1$I.change_log_%8$s (segment, relation, op, key, row, trace)
      select %8$s, %2$L, 'D', gone.%3$I::text, %7$s, %9$s from %1$I.%2$s as gone;
      return null;
    end $body$
  $function$, schema, target.relation, target.key,
    image_expression(relation, 'old'), image_expression(relation, 'new'),
    case when was is null then 'null::json' else format(
      'case when tg_op = ''UPDATE'' and (%s) is distinct from (%s) then json_build_object(%s) end', routes_old, routes_new, was
    ) end,
    image_expression(relation, 'gone'),
    (select segment from feed_segment), trace, trace_new);

  update captured_tables set instants = array(
    select camel_case(attname) from pg_attribute
     where attrelid = refresh_capture.relation and atttypid = 'timestamptz'::regtype and attnum > 0 and not attisdropped
     order by attnum)
   where captured_tables.relation = target.relation;
end $$;
