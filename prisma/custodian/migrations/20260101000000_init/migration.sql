-- The custodian: what it keeps for whom, and how that moves. The tables come in the migrations that follow, an area each.
-- Names are unqualified on purpose: the connection's search_path decides the schema.

-- Maintains updated_at and version, whoever writes the row. A transaction may have begun before the row it waited for
-- was written, so its own now() could lie before created_at; the clock does not.
create function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := greatest(clock_timestamp(), old.updated_at);
  return new;
end $$;

create function refuse_change() returns trigger
  language plpgsql as $$
begin
  raise exception 'rows of table % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
end $$;

-- What every domain has ----------------------------------------------------------------------------------------------

create table idempotency_keys (
  key          text        not null,
  operation    text        not null,
  request_hash text        not null,
  result       jsonb,
  created_at   timestamptz not null default now(),

  constraint idempotency_keys_pkey primary key (key)
);

create index idempotency_keys_created on idempotency_keys (created_at);

create function health_check() returns json
  language sql stable set search_path from current as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition));
$$;
