-- What a domain suffers on purpose. Its processes follow the rows by the feed; a row that has run out is marked by the
-- process that leads, so that the log tells the end of every fault.
create table injected_faults (
  fault_id    text        not null default gen_random_uuid()::text,
  kind        text        not null,
  -- What it is about: operations, symbols or a day; '*' where it is about everything.
  target      text        not null default '*',
  parameters  jsonb       not null default '{}',
  run_id      text,
  reason      text,
  injected_by text,
  status      text        not null default 'ACTIVE',
  injected_at timestamptz not null default now(),
  expires_at  timestamptz not null,
  cleared_at  timestamptz,
  trace_id    char(32),
  updated_at  timestamptz not null default now(),
  version     integer     not null default 1,

  constraint injected_faults_pkey primary key (fault_id),
  constraint injected_faults_id_length check (length(fault_id) between 1 and 100),
  constraint injected_faults_kind check (kind in ('LATENCY', 'REJECTION', 'DOWNTIME', 'RESTART', 'STALE_DATA', 'SPREAD',
    'SETTLEMENT_DELAY', 'SETTLEMENT_FAILURE', 'HOLIDAY')),
  constraint injected_faults_parameters check (jsonb_typeof(parameters) = 'object'),
  constraint injected_faults_run_length check (length(run_id) between 1 and 255),
  constraint injected_faults_reason_length check (length(reason) <= 2000),
  constraint injected_faults_injected_by_length check (length(injected_by) <= 255),
  constraint injected_faults_status check (status in ('ACTIVE', 'CLEARED', 'EXPIRED')),
  constraint injected_faults_ended check ((status = 'ACTIVE') = (cleared_at is null)),
  constraint injected_faults_lease check (expires_at > injected_at),
  constraint injected_faults_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint injected_faults_version check (version >= 1)
);

create unique index injected_faults_one_active on injected_faults (kind, target) where status = 'ACTIVE';
create index injected_faults_latest on injected_faults (injected_at desc, fault_id desc);
create index injected_faults_of_run on injected_faults (run_id) where run_id is not null;

create trigger touch before update on injected_faults for each row execute function touch_row();

select capture('injected_faults', 'fault_id', '{status}');
