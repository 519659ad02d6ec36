-- Scenarios, their runs, and everything that a run leaves behind. Ids are free text, as they are upstream.

-- Scenarios ----------------------------------------------------------------------------------------------------------

create table scenarios (
  scenario_id         text        not null default gen_random_uuid()::text,
  name                text        not null,
  description         text,
  scenario_type       text        not null,
  category            text        not null,
  status              text        not null default 'draft',
  -- What is done, phase by phase; checked by the rules before it is stored.
  configuration       jsonb       not null,
  services_under_test text[]      not null default '{}',
  expected_outcomes   text[]      not null default '{}',
  tags                text[]      not null default '{}',
  depends_on          text[]      not null default '{}',
  template_id         text,
  -- Cron, in UTC; null where it is started by hand only.
  schedule            text,
  next_run_at         timestamptz,
  duration_ms         bigint      not null,
  timeout_ms          bigint      not null,
  created_by          text,
  trace_id            char(32),
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  version             integer     not null default 1,

  constraint scenarios_pkey primary key (scenario_id),
  constraint scenarios_id_length check (length(scenario_id) between 1 and 255),
  constraint scenarios_name_length check (length(name) between 1 and 255),
  constraint scenarios_description_length check (length(description) <= 2000),
  constraint scenarios_type check (scenario_type in ('service_restart', 'network_partition', 'network_latency',
    'resource_exhaustion', 'data_corruption', 'combined')),
  constraint scenarios_category check (category in ('market', 'trading', 'risk', 'operational', 'settlement')),
  constraint scenarios_status check (status in ('draft', 'active', 'deprecated', 'archived')),
  constraint scenarios_configuration check (jsonb_typeof(configuration) = 'object'),
  constraint scenarios_schedule_length check (length(schedule) between 1 and 100),
  constraint scenarios_next_run check (next_run_at is null or schedule is not null),
  constraint scenarios_duration check (duration_ms > 0 and timeout_ms > 0),
  constraint scenarios_not_on_itself check (not scenario_id = any (depends_on)),
  constraint scenarios_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint scenarios_version check (version >= 1)
);

create index scenarios_created on scenarios (created_at, scenario_id);
create index scenarios_by_type on scenarios (scenario_type, created_at, scenario_id);
create index scenarios_by_status on scenarios (status, created_at, scenario_id);
create index scenarios_by_tag on scenarios using gin (tags);
create index scenarios_due on scenarios (next_run_at) where next_run_at is not null;

create trigger scenarios_touch before update on scenarios for each row execute function touch_row();

-- Runs ---------------------------------------------------------------------------------------------------------------

create table test_runs (
  run_id                 text        not null default gen_random_uuid()::text,
  scenario_id            text        not null,
  status                 text        not null default 'pending',
  started_at             timestamptz,
  -- What lists are sorted by: runs that never started come before all others.
  sorted_at              timestamptz not null generated always as
    (coalesce(started_at, timestamptz '1970-01-01 00:00:00+00')) stored,
  completed_at           timestamptz,
  duration_ms            integer,
  -- The scenario as it was when the run was asked for.
  configuration_snapshot jsonb       not null,
  test_environment       text,
  exit_code              integer,
  error_message          text,
  dry_run                boolean     not null default false,
  -- Planned times are divided by it.
  time_scale             numeric(12,4) not null default 1,
  requested_by           text,
  rollback_status        text        not null default 'not_started',
  current_phase          text,
  stop_requested_at      timestamptz,
  stop_reason            text,
  -- Domains whose locks the run holds while it is not over.
  targets                text[]      not null default '{}',
  -- The process that carries it out, and until when it is taken for alive.
  runner_id              text,
  lease_until            timestamptz,
  -- Whoever takes the run over raises it; what an earlier holder writes under the old one is refused.
  fence                  bigint      not null default 0,
  -- When it ends at the latest.
  timeout_ms             bigint      not null,
  trace_id               char(32)    not null,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  version                integer     not null default 1,

  constraint test_runs_pkey primary key (run_id),
  constraint test_runs_scenario_fkey foreign key (scenario_id) references scenarios (scenario_id) on delete restrict,
  constraint test_runs_id_length check (length(run_id) between 1 and 255),
  constraint test_runs_status check (status in ('pending', 'running', 'passed', 'failed', 'error', 'cancelled', 'timeout')),
  constraint test_runs_rollback check (rollback_status in ('not_started', 'running', 'completed', 'failed')),
  constraint test_runs_started check (status in ('pending', 'cancelled', 'error') or started_at is not null),
  constraint test_runs_completed check ((status in ('pending', 'running')) = (completed_at is null)),
  constraint test_runs_order check (completed_at >= started_at),
  constraint test_runs_duration check (
    duration_ms >= 0 and abs(duration_ms - extract(epoch from completed_at - started_at) * 1000) <= 1000),
  constraint test_runs_exit_code check ((exit_code is not null and exit_code = 0) = (status = 'passed')),
  constraint test_runs_exit_code_ended check (exit_code is null or completed_at is not null),
  constraint test_runs_runner check (status <> 'running' or (runner_id is not null and lease_until is not null)),
  constraint test_runs_scale check (time_scale > 0),
  constraint test_runs_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint test_runs_version check (version >= 1)
);

create index test_runs_started on test_runs (sorted_at, run_id);
create index test_runs_created on test_runs (created_at, run_id);
create index test_runs_by_scenario on test_runs (scenario_id, created_at, run_id);
create index test_runs_by_status on test_runs (status, created_at, run_id);
create index test_runs_alive on test_runs (status) where status in ('pending', 'running');

create trigger test_runs_touch before update on test_runs for each row execute function touch_row();

-- What a run is of, and with what, never changes; its end is final.
create function keep_run() returns trigger
  language plpgsql as $$
begin
  if new.configuration_snapshot is distinct from old.configuration_snapshot or new.scenario_id <> old.scenario_id
     or new.trace_id <> old.trace_id or new.dry_run <> old.dry_run then
    raise exception 'what a run was started with never changes' using errcode = 'restrict_violation';
  end if;
  if old.completed_at is not null and new.status <> old.status then
    raise exception 'a run that is over stays as it is' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger test_runs_keep before update on test_runs for each row execute function keep_run();

-- What is of a run goes with it, and not before.
create function refuse_delete_of_run() returns trigger
  language plpgsql as $$
begin
  if exists (select from test_runs where run_id = old.run_id) then
    raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
  end if;
  return old;
end $$;

create table run_phases (
  phase_id            text        not null,
  run_id              text        not null,
  phase_index         integer     not null,
  name                text        not null,
  planned_duration_ms integer     not null,
  started_at          timestamptz,
  ended_at            timestamptz,
  success             boolean,
  error               text,
  actions             jsonb       not null default '[]',
  assertions          jsonb       not null default '[]',
  updated_at          timestamptz not null default now(),
  version             integer     not null default 1,

  constraint run_phases_pkey primary key (phase_id),
  constraint run_phases_run_fkey foreign key (run_id) references test_runs (run_id) deferrable,
  constraint run_phases_key unique (run_id, phase_index),
  constraint run_phases_order check (ended_at >= started_at),
  constraint run_phases_ended check ((ended_at is null) = (success is null)),
  constraint run_phases_index check (phase_index >= 0),
  constraint run_phases_version check (version >= 1)
);

create trigger run_phases_touch before update on run_phases for each row execute function touch_row();

-- What was found ------------------------------------------------------------------------------------------------------

create table test_results (
  result_id         text        not null default gen_random_uuid()::text,
  run_id            text        not null,
  phase             text,
  assertion_name    text        not null,
  assertion_type    text        not null,
  expected_value    text        not null,
  actual_value      text        not null,
  status            text        not null,
  verification_time timestamptz not null,
  -- What a detection took from its cause, where the assertion is about one.
  delay_ms          integer,
  deadline_ms       integer,
  error_details     text,
  -- W3C trace id under which the audit knows it.
  correlation_id    text,
  created_at        timestamptz not null default now(),

  constraint test_results_pkey primary key (result_id),
  constraint test_results_run_fkey foreign key (run_id) references test_runs (run_id) deferrable,
  constraint test_results_id_length check (length(result_id) between 1 and 255),
  constraint test_results_name_length check (length(assertion_name) between 1 and 255),
  constraint test_results_type check (assertion_type in ('service_health', 'response_time', 'data_consistency',
    'audit_trail', 'error_rate', 'throughput', 'latency', 'availability', 'recovery_time')),
  constraint test_results_status check (status in ('passed', 'failed', 'skipped', 'error')),
  constraint test_results_delay check (delay_ms >= 0 and deadline_ms > 0),
  constraint test_results_correlation_length check (length(correlation_id) between 1 and 255)
);

create index test_results_by_run on test_results (run_id, created_at, result_id);
create index test_results_by_status on test_results (status, created_at, result_id);
create index test_results_by_type on test_results (assertion_type, created_at, result_id);
create index test_results_by_correlation on test_results (correlation_id, created_at, result_id);
create index test_results_created on test_results (created_at, result_id);

create trigger test_results_append_only before update on test_results for each row execute function refuse_change();
create trigger test_results_stay before delete on test_results for each row execute function refuse_delete_of_run();

create table chaos_events (
  event_id           text        not null default gen_random_uuid()::text,
  run_id             text        not null,
  event_type         text        not null,
  -- What is done: inject_latency, market_crash, …
  action             text        not null,
  target_service     text        not null,
  -- The process that the registry knows under that name, where it knew one.
  service_id         text,
  parameters         jsonb       not null default '{}',
  -- Id of the fault in its domain, or of the market scenario; known before it is started.
  external_id        text,
  injected_at        timestamptz,
  duration_ms        integer,
  status             text        not null default 'pending',
  recovery_time_ms   integer,
  clear_requested_at timestamptz,
  cleared_at         timestamptz,
  error              text,
  trace_id           char(32),
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  version            integer     not null default 1,

  constraint chaos_events_pkey primary key (event_id),
  constraint chaos_events_run_fkey foreign key (run_id) references test_runs (run_id) deferrable,
  constraint chaos_events_id_length check (length(event_id) between 1 and 255),
  constraint chaos_events_type check (event_type in ('service_restart', 'service_kill', 'network_partition',
    'network_latency', 'network_packet_loss', 'cpu_stress', 'memory_stress', 'disk_io_stress', 'clock_skew',
    'market_scenario', 'order_rejection', 'stale_data', 'spread_widening', 'settlement_delay', 'settlement_failure',
    'settlement_holiday')),
  constraint chaos_events_status check (status in ('pending', 'injected', 'in_progress', 'recovered', 'failed')),
  constraint chaos_events_injected check (status not in ('injected', 'in_progress', 'recovered') or injected_at is not null),
  constraint chaos_events_recovery check (
    recovery_time_ms >= 0 and (recovery_time_ms is null or status = 'recovered')),
  constraint chaos_events_cleared check (cleared_at >= injected_at),
  constraint chaos_events_duration check (duration_ms >= 0),
  constraint chaos_events_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint chaos_events_version check (version >= 1)
);

create unique index chaos_events_one_active on chaos_events (target_service, event_type)
  where status in ('injected', 'in_progress');
create index chaos_events_by_run on chaos_events (run_id, created_at, event_id);
create index chaos_events_by_type on chaos_events (event_type, created_at, event_id);
create index chaos_events_by_target on chaos_events (target_service, created_at, event_id);
create index chaos_events_by_status on chaos_events (status, created_at, event_id);
create index chaos_events_created on chaos_events (created_at, event_id);

create trigger chaos_events_touch before update on chaos_events for each row execute function touch_row();

-- A dry run injects nothing.
create function refuse_chaos_of_dry_run() returns trigger
  language plpgsql as $$
begin
  if (select dry_run from test_runs where run_id = new.run_id) then
    raise exception 'a dry run injects nothing' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger chaos_events_not_dry before insert on chaos_events for each row execute function refuse_chaos_of_dry_run();

-- A run that ends leaves nothing that is still injected.
create function refuse_active_chaos() returns trigger
  language plpgsql as $$
begin
  if new.completed_at is not null and old.completed_at is null and exists (
    select from chaos_events where run_id = new.run_id and status in ('injected', 'in_progress')) then
    raise exception 'a run ends when nothing of it is injected any more' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger test_runs_end_clean before update on test_runs for each row execute function refuse_active_chaos();

create table system_snapshots (
  snapshot_id text        not null default gen_random_uuid()::text,
  run_id      text        not null,
  phase       text        not null,
  taken_at    timestamptz not null,
  services    jsonb       not null,
  metrics     jsonb       not null,

  constraint system_snapshots_pkey primary key (snapshot_id),
  constraint system_snapshots_run_fkey foreign key (run_id) references test_runs (run_id) deferrable
);

create index system_snapshots_by_run on system_snapshots (run_id, taken_at, snapshot_id);

create trigger system_snapshots_append_only before update on system_snapshots for each row execute function refuse_change();
create trigger system_snapshots_stay before delete on system_snapshots for each row
  execute function refuse_delete_of_run();

create table execution_logs (
  log_id    text        not null default gen_random_uuid()::text,
  run_id    text        not null,
  sequence  integer     not null,
  logged_at timestamptz not null,
  level     text        not null,
  message   text        not null,
  data      jsonb       not null default '{}',

  constraint execution_logs_pkey primary key (log_id),
  constraint execution_logs_run_fkey foreign key (run_id) references test_runs (run_id) deferrable,
  constraint execution_logs_key unique (run_id, sequence),
  constraint execution_logs_level check (level in ('debug', 'info', 'warn', 'error')),
  constraint execution_logs_message_length check (length(message) between 1 and 2000)
);

create trigger execution_logs_append_only before update on execution_logs for each row execute function refuse_change();
create trigger execution_logs_stay before delete on execution_logs for each row execute function refuse_delete_of_run();

-- Locks of runs on the domains that they disturb, where there is no Redis to hold them. A row stays when its lock is
-- released, so that tokens only rise.
create table target_locks (
  target     text        not null,
  run_id     text,
  token      bigint      not null default 1,
  expires_at timestamptz not null,

  constraint target_locks_pkey primary key (target)
);

select capture('scenarios', 'scenario_id', '{status}');
select capture('test_runs', 'run_id', '{scenario_id, status}');
select capture('run_phases', 'phase_id', '{run_id}');
select capture('test_results', 'result_id', '{run_id}');
select capture('chaos_events', 'event_id', '{run_id, target_service}');
select capture('system_snapshots', 'snapshot_id', '{run_id}');
select capture('execution_logs', 'log_id', '{run_id}');
