-- The risk domain: limits, what is measured against them, and what is said when they are broken.

-- Whoever writes a row, its version and its time of change move.
create function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

create function refuse_change() returns trigger
  language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- The trading circuit breaker -----------------------------------------------------------------------------------------

-- One row: whether trading as a whole may go on.
create table circuit_breakers (
  breaker_id    text          not null default 'trading',
  state         text          not null default 'closed',
  -- What opened it last; null until something has.
  cause         text,
  reason        text,
  trigger_value numeric(38,8),
  opened_at     timestamptz,
  -- When it becomes half open by itself.
  reopens_at    timestamptz,
  closed_at     timestamptz,
  changed_by    text          not null default 'system',
  trace_id      char(32),
  created_at    timestamptz   not null default now(),
  updated_at    timestamptz   not null default now(),
  version       integer       not null default 1,

  constraint circuit_breakers_pkey primary key (breaker_id),
  constraint circuit_breakers_only check (breaker_id = 'trading'),
  constraint circuit_breakers_state check (state in ('closed', 'open', 'half_open')),
  constraint circuit_breakers_cause check (cause in ('total_loss', 'rapid_loss', 'critical_alerts', 'manual')),
  constraint circuit_breakers_reason_length check (length(reason) between 1 and 2000),
  constraint circuit_breakers_by_length check (length(changed_by) between 1 and 255),
  constraint circuit_breakers_opened check (
    state = 'closed' or (opened_at is not null and cause is not null and reason is not null)),
  constraint circuit_breakers_reopens check ((state = 'open') = (reopens_at is not null)),
  constraint circuit_breakers_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint circuit_breakers_version check (version >= 1)
);

insert into circuit_breakers default values;

create trigger circuit_breakers_touch before update on circuit_breakers for each row execute function touch_row();

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
