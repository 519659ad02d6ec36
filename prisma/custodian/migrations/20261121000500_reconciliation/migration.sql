-- Reconciliation: what is kept here against what the venue says, and the differences that somebody must look at. And how
-- far the trades of the exchange have been followed.

create table reconciliation_runs (
  run_id         uuid          not null default gen_random_uuid(),
  scope          text          not null,
  account_id     text,
  status         text          not null default 'RUNNING',
  -- Places (an account and an asset) that were looked at, those that agree, and those that do not.
  checked        integer       not null default 0,
  matched        integer       not null default 0,
  break_count    integer       not null default 0,
  tolerance_usd  numeric(38,8) not null,
  failure_reason text,
  actor          text,
  started_at     timestamptz   not null,
  finished_at    timestamptz,
  trace_id       char(32),
  created_at     timestamptz   not null default clock_timestamp(),
  updated_at     timestamptz   not null default clock_timestamp(),
  version        integer       not null default 1,

  constraint reconciliation_runs_pkey primary key (run_id),
  constraint reconciliation_runs_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint reconciliation_runs_scope check (
    scope in ('ALL', 'ACCOUNT') and (scope = 'ACCOUNT') = (account_id is not null)),
  constraint reconciliation_runs_status check (status in ('RUNNING', 'BALANCED', 'BREAKS_FOUND', 'FAILED')),
  constraint reconciliation_runs_finished check ((finished_at is not null) = (status <> 'RUNNING')),
  constraint reconciliation_runs_failed check ((failure_reason is not null) = (status = 'FAILED')),
  constraint reconciliation_runs_counts check (matched >= 0 and break_count >= 0 and checked = matched + break_count),
  constraint reconciliation_runs_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint reconciliation_runs_version check (version >= 1)
);

create index reconciliation_runs_started on reconciliation_runs (started_at, run_id);

create trigger reconciliation_runs_touch before update on reconciliation_runs
  for each row execute function touch_row();
create trigger reconciliation_runs_no_delete before delete on reconciliation_runs
  for each row execute function refuse_change();

create table reconciliation_breaks (
  break_id         uuid          not null default gen_random_uuid(),
  run_id           uuid          not null,
  venue_id         text          not null,
  account_id       text          not null,
  asset            text          not null,
  internal_amount  numeric(38,8) not null,
  -- What settlements under way will bring, less what they will take.
  in_flight_amount numeric(38,8) not null,
  external_amount  numeric(38,8) not null,
  difference       numeric(38,8) not null generated always as (internal_amount + in_flight_amount - external_amount) stored,
  -- Without its sign; null when nobody knows a price.
  usd_difference   numeric(38,8),
  kind             text          not null,
  level            text          not null,
  status           text          not null default 'OPEN',
  assignee         text,
  resolution       text,
  reopened_count   integer       not null default 0,
  actor            text,
  opened_at        timestamptz   not null,
  resolved_at      timestamptz,
  trace_id         char(32),
  created_at       timestamptz   not null default clock_timestamp(),
  updated_at       timestamptz   not null default clock_timestamp(),
  version          integer       not null default 1,

  constraint reconciliation_breaks_pkey primary key (break_id),
  constraint reconciliation_breaks_run foreign key (run_id) references reconciliation_runs (run_id)
    on update restrict on delete restrict,
  constraint reconciliation_breaks_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint reconciliation_breaks_asset_spelling check (asset ~ '^[A-Z0-9]{1,20}$'),
  constraint reconciliation_breaks_kind check (
    kind in ('QUANTITY_MISMATCH', 'MISSING_INTERNAL', 'MISSING_EXTERNAL', 'TIMING', 'PRICE_MISMATCH', 'DUPLICATE')),
  constraint reconciliation_breaks_level check (level in ('TOLERATED', 'REVIEW', 'ALERT')),
  constraint reconciliation_breaks_status check (
    status in ('OPEN', 'INVESTIGATING', 'RESOLVED', 'WRITTEN_OFF', 'AUTO_RESOLVED')),
  constraint reconciliation_breaks_resolved check (
    (resolved_at is not null) = (status in ('RESOLVED', 'WRITTEN_OFF', 'AUTO_RESOLVED'))),
  constraint reconciliation_breaks_assignee check (
    length(assignee) between 1 and 255 and (status <> 'INVESTIGATING' or assignee is not null)),
  constraint reconciliation_breaks_resolution_length check (length(resolution) between 1 and 1000),
  constraint reconciliation_breaks_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint reconciliation_breaks_version check (version >= 1)
);

create unique index reconciliation_breaks_open_key on reconciliation_breaks (venue_id, account_id, asset)
  where status in ('OPEN', 'INVESTIGATING');
create index reconciliation_breaks_opened on reconciliation_breaks (opened_at, break_id);
create index reconciliation_breaks_by_account on reconciliation_breaks (account_id, opened_at, break_id);
create index reconciliation_breaks_by_status on reconciliation_breaks (status, opened_at, break_id);

create trigger reconciliation_breaks_touch before update on reconciliation_breaks
  for each row execute function touch_row();
create trigger reconciliation_breaks_no_delete before delete on reconciliation_breaks
  for each row execute function refuse_change();
create trigger reconciliation_breaks_recorded after insert or update on reconciliation_breaks
  for each row execute function record_step('BREAK', 'break_id', 'status');

-- A break that is only a matter of time closes with the last settlement that it waited for.
create function close_timing_breaks() returns trigger
  language plpgsql as $$
begin
  if new.status in ('COMPLETED', 'FAILED', 'CANCELLED') then
    update reconciliation_breaks as broken
       set status = 'AUTO_RESOLVED', resolved_at = greatest(clock_timestamp(), opened_at),
           resolution = 'What was under way has come to its end.', trace_id = new.trace_id
     where kind = 'TIMING' and status in ('OPEN', 'INVESTIGATING')
       and account_id in (new.source_account_id, new.destination_account_id) and asset in (new.asset, new.currency)
       and not exists (
         select from settlements
          where settlements.status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED')
            and broken.account_id in (settlements.source_account_id, settlements.destination_account_id)
            and broken.asset in (settlements.asset, settlements.currency));
  end if;
  return null;
end $$;

create trigger settlements_close_timing after update on settlements
  for each row when (old.status is distinct from new.status) execute function close_timing_breaks();

-- How far the trades of a venue have been made into settlements. Trades from there on may still be missing.
create table trade_cursors (
  venue_id    text        not null,
  followed_to timestamptz not null,
  created_at  timestamptz not null default clock_timestamp(),
  updated_at  timestamptz not null default clock_timestamp(),
  version     integer     not null default 1,

  constraint trade_cursors_pkey primary key (venue_id),
  constraint trade_cursors_version check (version >= 1)
);

create trigger trade_cursors_touch before update on trade_cursors for each row execute function touch_row();

create or replace function health_check() returns json
  language sql stable set search_path from current as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'accounts', (select count(*) from accounts),
    'holdings', (select count(*) from holdings),
    'open_settlements', (select count(*) from settlements where status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED')),
    'pending_approvals', (select count(*) from approval_requests where status = 'PENDING'),
    'open_breaks', (select count(*) from reconciliation_breaks where status in ('OPEN', 'INVESTIGATING')),
    'estimated_ledger_entries',
      (select greatest(reltuples, 0)::bigint from pg_class where oid = 'ledger_entries'::regclass));
$$;

select capture('reconciliation_runs', 'run_id', '{account_id}');
select capture('reconciliation_breaks', 'break_id', '{account_id}');
