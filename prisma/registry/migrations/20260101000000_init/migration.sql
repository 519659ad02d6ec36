-- The registry: what the services of the ecosystem are configured with. Which services there are is no matter of these
-- tables: they are known by their heartbeats (platform/repositories).

-- Whoever writes a row, its version and its time of change move.
create function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

-- Configuration ------------------------------------------------------------------------------------------------------

create table config_entries (
  entry_id    uuid        not null default gen_random_uuid(),
  key         text        not null,
  -- Name of the service that the entry is for; '*' for every service that has none of its own.
  scope       text        not null default '*',
  value_type  text        not null,
  -- As text, in the one spelling of its type: what an integer or an amount is must not depend on who reads it.
  value       text        not null,
  description text,
  trace_id    char(32),
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  version     integer     not null default 1,

  constraint config_entries_pkey primary key (entry_id),
  constraint config_entries_key unique (key, scope),
  constraint config_entries_key_form check (key ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' and length(key) <= 200),
  constraint config_entries_scope check (scope = '*' or scope ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  constraint config_entries_type check (
    value_type in ('string', 'integer', 'decimal', 'boolean', 'json', 'duration', 'datetime')),
  constraint config_entries_value check (
    case value_type
      when 'integer' then value ~ '^(0|-?[1-9][0-9]{0,18})$'
      when 'decimal' then value ~ '^-?[0-9]{1,16}(\.[0-9]{1,8})?$'
      when 'boolean' then value in ('true', 'false')
      when 'json' then value::json is not null
      else true
    end),
  constraint config_entries_value_length check (octet_length(value) <= 65536),
  constraint config_entries_description_length check (length(description) <= 2000),
  constraint config_entries_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint config_entries_version check (version >= 1)
);

create index config_entries_by_scope on config_entries (scope, key);
create index config_entries_updated on config_entries (updated_at, entry_id);

create trigger config_entries_touch before update on config_entries for each row execute function touch_row();

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
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'config_entries', (select count(*) from config_entries));
$$;
