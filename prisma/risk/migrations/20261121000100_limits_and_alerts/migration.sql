-- Limits and how far they are used, breaches and alerts, what is measured, and what positions were.
-- Amounts that a caller gives are numeric(20,8); what is computed of them is numeric(38,8). Money is in USD.

-- Limits -------------------------------------------------------------------------------------------------------------

create table risk_limits (
  limit_id        text          not null default gen_random_uuid()::text,
  limit_type      text          not null,
  direction       text          not null default 'both',
  threshold_value numeric(20,8) not null,
  warning_value   numeric(20,8),
  -- What it is about; a part that is null means each one, by itself.
  instrument_id   text,
  asset           text,
  account_id      text,
  strategy_id     text,
  global_limit    boolean       not null generated always as
    (instrument_id is null and asset is null and account_id is null and strategy_id is null) stored,
  enabled         boolean       not null default true,
  description     text,
  effective_from  timestamptz,
  effective_to    timestamptz,
  -- Who wrote the version that is in force, and who approved it where it had to be.
  author          text          not null,
  approved_by     text,
  trace_id        char(32),
  created_at      timestamptz   not null default now(),
  updated_at      timestamptz   not null default now(),
  version         integer       not null default 1,

  constraint risk_limits_pkey primary key (limit_id),
  constraint risk_limits_id_length check (length(limit_id) between 1 and 255),
  constraint risk_limits_type check (limit_type in ('position_size', 'notional', 'concentration', 'total_exposure',
    'leverage', 'var', 'daily_loss', 'drawdown', 'delta', 'counterparty')),
  constraint risk_limits_direction check (direction in ('long', 'short', 'both')),
  constraint risk_limits_threshold check (threshold_value > 0),
  constraint risk_limits_warning check (warning_value > 0 and warning_value < threshold_value),
  constraint risk_limits_asset check ((limit_type = 'delta') = (asset is not null)),
  constraint risk_limits_instrument check (
    instrument_id is null or limit_type in ('position_size', 'notional', 'concentration')),
  constraint risk_limits_side check (direction = 'both' or limit_type in ('position_size', 'notional', 'delta')),
  constraint risk_limits_of_strategy check (
    strategy_id is null or limit_type in ('position_size', 'notional', 'total_exposure', 'daily_loss')),
  constraint risk_limits_account check (account_id ~ '^(exchange|custody):.{1,240}$'),
  constraint risk_limits_window check (effective_to > effective_from),
  constraint risk_limits_author_length check (length(author) between 1 and 255),
  constraint risk_limits_two_people check (approved_by <> author),
  constraint risk_limits_description_length check (length(description) <= 2000),
  constraint risk_limits_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint risk_limits_version check (version >= 1)
);

create unique index risk_limits_one_a_scope on risk_limits (limit_type, direction, coalesce(instrument_id, ''),
  coalesce(asset, ''), coalesce(account_id, ''), coalesce(strategy_id, '')) where enabled;
create index risk_limits_created on risk_limits (created_at, limit_id);
create index risk_limits_by_type on risk_limits (limit_type, created_at, limit_id);
create index risk_limits_by_instrument on risk_limits (instrument_id, created_at, limit_id);
create index risk_limits_by_account on risk_limits (account_id, created_at, limit_id);
create index risk_limits_by_strategy on risk_limits (strategy_id, created_at, limit_id);

create trigger risk_limits_touch before update on risk_limits for each row execute function touch_row();

-- Every version that a limit has had, whoever wrote it.
create table limit_versions (
  version_id      uuid          not null default gen_random_uuid(),
  limit_id        text          not null,
  limit_version   integer       not null,
  threshold_value numeric(20,8) not null,
  warning_value   numeric(20,8),
  enabled         boolean       not null,
  description     text,
  effective_from  timestamptz,
  effective_to    timestamptz,
  author          text          not null,
  approved_by     text,
  trace_id        char(32),
  changed_at      timestamptz   not null default now(),

  constraint limit_versions_pkey primary key (version_id),
  constraint limit_versions_key unique (limit_id, limit_version)
);

create index limit_versions_changed on limit_versions (limit_id, changed_at, version_id);

create function keep_limit_version() returns trigger
  language plpgsql as $$
begin
  insert into limit_versions (limit_id, limit_version, threshold_value, warning_value, enabled, description, effective_from,
                              effective_to, author, approved_by, trace_id)
  values (new.limit_id, new.version, new.threshold_value, new.warning_value, new.enabled, new.description,
          new.effective_from, new.effective_to, new.author, new.approved_by, new.trace_id);
  return null;
end $$;

create trigger risk_limits_keep_version after insert or update on risk_limits
  for each row execute function keep_limit_version();
create trigger limit_versions_append_only before update or delete on limit_versions
  for each row execute function refuse_change();
create trigger risk_limits_never_deleted before delete on risk_limits for each row execute function refuse_change();

-- A change that lets more through waits here for a second person.
create table limit_changes (
  change_id       uuid          not null default gen_random_uuid(),
  limit_id        text          not null,
  -- Version of the limit that the change was asked of.
  limit_version   integer       not null,
  threshold_value numeric(20,8) not null,
  warning_value   numeric(20,8),
  enabled         boolean       not null,
  status          text          not null default 'pending',
  requested_by    text          not null,
  decided_by      text,
  decided_at      timestamptz,
  reason          text,
  trace_id        char(32),
  created_at      timestamptz   not null default now(),
  updated_at      timestamptz   not null default now(),
  version         integer       not null default 1,

  constraint limit_changes_pkey primary key (change_id),
  constraint limit_changes_limit foreign key (limit_id) references risk_limits (limit_id)
    on update restrict on delete restrict,
  constraint limit_changes_status check (status in ('pending', 'approved', 'rejected')),
  constraint limit_changes_threshold check (threshold_value > 0),
  constraint limit_changes_warning check (warning_value > 0 and warning_value < threshold_value),
  constraint limit_changes_requested_length check (length(requested_by) between 1 and 255),
  constraint limit_changes_two_people check (status <> 'approved' or decided_by <> requested_by),
  constraint limit_changes_decided check (
    (status = 'pending') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint limit_changes_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint limit_changes_version check (version >= 1)
);

create unique index limit_changes_one_pending on limit_changes (limit_id) where status = 'pending';
create index limit_changes_created on limit_changes (created_at, change_id);
create index limit_changes_by_limit on limit_changes (limit_id, created_at, change_id);
create index limit_changes_by_status on limit_changes (status, created_at, change_id);

create trigger limit_changes_touch before update on limit_changes for each row execute function touch_row();

-- How far a limit is used by one of the things it is about.
create table limit_states (
  -- limit, account, strategy, instrument and asset, so that two processes mean the same.
  state_id        text          not null,
  limit_id        text          not null,
  account_id      text,
  strategy_id     text,
  instrument_id   text,
  asset           text,
  current_value   numeric(38,8) not null,
  threshold_value numeric(20,8) not null,
  utilisation     numeric(38,8) not null,
  band            text          not null,
  is_stale        boolean       not null default false,
  measured_at     timestamptz   not null,
  created_at      timestamptz   not null default now(),
  updated_at      timestamptz   not null default now(),
  version         integer       not null default 1,

  constraint limit_states_pkey primary key (state_id),
  constraint limit_states_limit foreign key (limit_id) references risk_limits (limit_id)
    on update restrict on delete restrict,
  constraint limit_states_utilisation check (utilisation >= 0),
  constraint limit_states_band check (band in ('ok', 'warning', 'breached')),
  constraint limit_states_version check (version >= 1)
);

create index limit_states_by_limit on limit_states (limit_id, state_id);

create trigger limit_states_touch before update on limit_states for each row execute function touch_row();

-- Breaches and alerts ------------------------------------------------------------------------------------------------

create table risk_breaches (
  breach_id       uuid          not null default gen_random_uuid(),
  limit_id        text          not null,
  limit_version   integer       not null,
  state_id        text          not null,
  account_id      text,
  strategy_id     text,
  instrument_id   text,
  asset           text,
  current_value   numeric(38,8) not null,
  threshold_value numeric(20,8) not null,
  utilisation     numeric(38,8) not null,
  peak_value      numeric(38,8) not null,
  started_at      timestamptz   not null,
  ended_at        timestamptz,
  trace_id        char(32),
  created_at      timestamptz   not null default now(),
  updated_at      timestamptz   not null default now(),
  version         integer       not null default 1,

  constraint risk_breaches_pkey primary key (breach_id),
  constraint risk_breaches_limit foreign key (limit_id) references risk_limits (limit_id)
    on update restrict on delete restrict,
  constraint risk_breaches_peak check (abs(peak_value) >= abs(current_value)),
  constraint risk_breaches_ended check (ended_at >= started_at),
  constraint risk_breaches_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint risk_breaches_version check (version >= 1)
);

create unique index risk_breaches_one_open on risk_breaches (state_id) where ended_at is null;
create index risk_breaches_started on risk_breaches (started_at, breach_id);
create index risk_breaches_by_limit on risk_breaches (limit_id, started_at, breach_id);
create index risk_breaches_by_account on risk_breaches (account_id, started_at, breach_id);

create trigger risk_breaches_touch before update on risk_breaches for each row execute function touch_row();

create table risk_alerts (
  alert_id         uuid          not null default gen_random_uuid(),
  severity         text          not null,
  status           text          not null default 'active',
  metric_name      text          not null,
  message          text          not null,
  current_value    numeric(38,8),
  threshold_value  numeric(38,8),
  instrument_id    text,
  asset            text,
  account_id       text,
  strategy_id      text,
  limit_id         text,
  breach_id        uuid,
  -- Of alerts that are open there is one of each key; what would be another is one more occurrence of it.
  dedup_key        text          not null,
  occurrences      integer       not null default 1,
  escalation_level integer       not null default 0,
  escalated_at     timestamptz,
  notified         text[]        not null default '{}',
  triggered_at     timestamptz   not null,
  last_occurred_at timestamptz   not null,
  acknowledged_at  timestamptz,
  acknowledged_by  text,
  resolved_at      timestamptz,
  resolved_by      text,
  resolution_note  text,
  expires_at       timestamptz,
  trace_id         char(32),
  created_at       timestamptz   not null default now(),
  updated_at       timestamptz   not null default now(),
  version          integer       not null default 1,

  constraint risk_alerts_pkey primary key (alert_id),
  constraint risk_alerts_breach foreign key (breach_id) references risk_breaches (breach_id)
    on update restrict on delete restrict,
  constraint risk_alerts_severity check (severity in ('low', 'medium', 'high', 'critical')),
  constraint risk_alerts_status check (status in ('active', 'acknowledged', 'resolved', 'expired')),
  constraint risk_alerts_metric_length check (length(metric_name) between 1 and 255),
  constraint risk_alerts_message_length check (length(message) between 1 and 2000),
  constraint risk_alerts_key_length check (length(dedup_key) between 1 and 1000),
  constraint risk_alerts_occurrences check (occurrences >= 1),
  constraint risk_alerts_level check (escalation_level between 0 and 2),
  constraint risk_alerts_escalated check ((escalation_level = 0) = (escalated_at is null)),
  constraint risk_alerts_acknowledged check (
    (acknowledged_at is null) = (acknowledged_by is null) and acknowledged_at >= triggered_at
    and (status <> 'active' or acknowledged_at is null) and (status <> 'acknowledged' or acknowledged_at is not null)),
  constraint risk_alerts_resolved check (
    (status = 'resolved') = (resolved_at is not null) and (resolved_at is null) = (resolved_by is null)
    and resolved_at >= triggered_at),
  constraint risk_alerts_expired check (status <> 'expired' or expires_at is not null),
  constraint risk_alerts_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint risk_alerts_version check (version >= 1)
);

create unique index risk_alerts_one_open on risk_alerts (dedup_key) where status in ('active', 'acknowledged');
create index risk_alerts_triggered on risk_alerts (triggered_at, alert_id);
create index risk_alerts_by_status on risk_alerts (status, severity, triggered_at, alert_id);
create index risk_alerts_by_severity on risk_alerts (severity, triggered_at, alert_id);
create index risk_alerts_by_metric on risk_alerts (metric_name, triggered_at, alert_id);
create index risk_alerts_by_instrument on risk_alerts (instrument_id, triggered_at, alert_id);
create index risk_alerts_by_account on risk_alerts (account_id, triggered_at, alert_id);
create index risk_alerts_by_breach on risk_alerts (breach_id);

create trigger risk_alerts_touch before update on risk_alerts for each row execute function touch_row();

create table alert_escalations (
  escalation_id uuid        not null default gen_random_uuid(),
  alert_id      uuid        not null,
  level         integer     not null,
  targets       text[]      not null,
  sent_at       timestamptz not null,
  acked_at      timestamptz,
  escalated_by  text        not null,

  constraint alert_escalations_pkey primary key (escalation_id),
  constraint alert_escalations_level_key unique (alert_id, level),
  constraint alert_escalations_alert foreign key (alert_id) references risk_alerts (alert_id)
    on update restrict on delete restrict,
  constraint alert_escalations_level check (level between 0 and 2),
  constraint alert_escalations_acked check (acked_at >= sent_at)
);

-- Measures -----------------------------------------------------------------------------------------------------------

create table risk_metrics (
  metric_id             uuid          not null default gen_random_uuid(),
  -- A symbol, or PORTFOLIO for all that the account holds.
  instrument_id         text          not null,
  account_id            text          not null,
  -- Equity of the account; null where it is not known.
  portfolio_value       numeric(38,8),
  unrealized_pnl        numeric(38,8) not null,
  realized_pnl          numeric(38,8) not null,
  total_exposure        numeric(38,8) not null,
  net_exposure          numeric(38,8) not null,
  leverage_ratio        numeric(38,4),
  drawdown              numeric(12,8),
  var_95                numeric(38,8),
  var_99                numeric(38,8),
  expected_shortfall    numeric(38,8),
  method                text          not null default 'historical',
  lookback_days         integer       not null default 30,
  confidence_level      numeric(5,4)  not null default 0.95,
  return_count          integer       not null default 0,
  is_low_confidence     boolean       not null,
  is_stale              boolean       not null,
  price_timestamp       timestamptz,
  inputs_hash           text          not null,
  calculation_timestamp timestamptz   not null,
  trace_id              char(32),
  created_at            timestamptz   not null default now(),
  updated_at            timestamptz   not null default now(),
  version               integer       not null default 1,

  constraint risk_metrics_pkey primary key (metric_id),
  constraint risk_metrics_exposure check (total_exposure >= abs(net_exposure)),
  constraint risk_metrics_var check (var_95 >= 0 and var_99 >= 0 and var_99 >= var_95),
  constraint risk_metrics_shortfall check (expected_shortfall >= 0),
  constraint risk_metrics_method check (method in ('historical', 'parametric')),
  constraint risk_metrics_lookback check (lookback_days between 1 and 365),
  constraint risk_metrics_confidence check (confidence_level between 0.5 and 0.99),
  constraint risk_metrics_drawdown check (drawdown between 0 and 1),
  constraint risk_metrics_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint risk_metrics_version check (version >= 1)
);

create index risk_metrics_calculated on risk_metrics (calculation_timestamp, metric_id);
create index risk_metrics_by_instrument on risk_metrics (instrument_id, calculation_timestamp, metric_id);
create index risk_metrics_by_account on risk_metrics (account_id, instrument_id, calculation_timestamp, metric_id);
create index risk_metrics_by_var on risk_metrics (var_95);

-- A metric is what was calculated then. Only what was not known yet may come later.
create function keep_metric() returns trigger
  language plpgsql as $$
declare
  late text[] := array['var_99', 'expected_shortfall', 'updated_at', 'version', 'trace_id'];
begin
  if (to_jsonb(new) - late) is distinct from (to_jsonb(old) - late)
     or (old.var_99 is not null and new.var_99 is distinct from old.var_99)
     or (old.expected_shortfall is not null and new.expected_shortfall is distinct from old.expected_shortfall) then
    raise exception 'a metric takes only a late var_99 and expected_shortfall' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger risk_metrics_keep before update on risk_metrics for each row execute function keep_metric();
create trigger risk_metrics_touch before update on risk_metrics for each row execute function touch_row();

-- What portfolios were worth, at most one row a minute: drawdown, the day's loss and rapid losses are made of it.
create table portfolio_points (
  account_id text          not null,
  minute     timestamptz   not null,
  total_pnl  numeric(38,8) not null,
  equity     numeric(38,8),
  exposure   numeric(38,8) not null,

  constraint portfolio_points_pkey primary key (account_id, minute),
  constraint portfolio_points_minute check (date_trunc('minute', minute, 'UTC') = minute)
);

create index portfolio_points_by_minute on portfolio_points (minute);

create table position_snapshots (
  snapshot_id         uuid          not null default gen_random_uuid(),
  -- A symbol, or the code of an asset that is held.
  instrument_id       text          not null,
  account_id          text          not null,
  strategy_id         text,
  quantity            numeric(38,8) not null,
  market_value        numeric(38,8),
  average_entry_price numeric(38,8),
  current_price       numeric(38,8),
  unrealized_pnl      numeric(38,8),
  realized_pnl        numeric(38,8),
  source              text          not null,
  venue               text,
  snapshot_timestamp  timestamptz   not null,
  created_at          timestamptz   not null default now(),

  constraint position_snapshots_pkey primary key (snapshot_id),
  constraint position_snapshots_key unique nulls not distinct
    (account_id, instrument_id, strategy_id, source, venue, snapshot_timestamp),
  constraint position_snapshots_source check (source in ('trading', 'exchange', 'custodian'))
);

create index position_snapshots_taken on position_snapshots (snapshot_timestamp, snapshot_id);
create index position_snapshots_by_instrument on position_snapshots (instrument_id, snapshot_timestamp, snapshot_id);
create index position_snapshots_by_account on position_snapshots (account_id, snapshot_timestamp, snapshot_id);
create index position_snapshots_by_source on position_snapshots (source, snapshot_timestamp, snapshot_id);
create index position_snapshots_by_venue on position_snapshots (venue, snapshot_timestamp, snapshot_id);

create trigger position_snapshots_never_changed before update on position_snapshots
  for each row execute function refuse_change();

create table stress_test_results (
  result_id      uuid          not null default gen_random_uuid(),
  account_id     text          not null,
  scenario       text          not null,
  loss           numeric(38,8) not null,
  loss_ratio     numeric(38,8),
  equity_before  numeric(38,8),
  equity_after   numeric(38,8),
  is_margin_call boolean       not null,
  is_liquidated  boolean       not null,
  is_stale       boolean       not null,
  requested_by   text          not null,
  trace_id       char(32),
  calculated_at  timestamptz   not null,

  constraint stress_test_results_pkey primary key (result_id),
  constraint stress_test_results_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index stress_test_results_calculated on stress_test_results (calculated_at, result_id);
create index stress_test_results_by_account on stress_test_results (account_id, calculated_at, result_id);

create trigger stress_test_results_append_only before update or delete on stress_test_results
  for each row execute function refuse_change();

-- The trading circuit breaker -----------------------------------------------------------------------------------------

-- Half open it moves on by itself as well.
alter table circuit_breakers rename column reopens_at to moves_on_at;
alter table circuit_breakers drop constraint circuit_breakers_reopens;
alter table circuit_breakers add constraint circuit_breakers_moves_on check ((state = 'closed') = (moves_on_at is null));

create table circuit_breaker_events (
  event_id      uuid          not null default gen_random_uuid(),
  from_state    text          not null,
  to_state      text          not null,
  cause         text,
  reason        text          not null,
  trigger_value numeric(38,8),
  changed_by    text          not null,
  trace_id      char(32),
  changed_at    timestamptz   not null,

  constraint circuit_breaker_events_pkey primary key (event_id)
);

create index circuit_breaker_events_changed on circuit_breaker_events (changed_at, event_id);

create trigger circuit_breaker_events_append_only before update or delete on circuit_breaker_events
  for each row execute function refuse_change();

-- What can be followed -----------------------------------------------------------------------------------------------

select capture('risk_limits', 'limit_id', '{instrument_id, account_id, strategy_id}');
select capture('limit_changes', 'change_id', '{limit_id}');
select capture('limit_states', 'state_id', '{limit_id, account_id, strategy_id}');
select capture('risk_breaches', 'breach_id', '{limit_id, account_id}');
select capture('risk_alerts', 'alert_id', '{account_id, instrument_id, breach_id}');
select capture('risk_metrics', 'metric_id', '{account_id, instrument_id}');
select capture('circuit_breakers', 'breaker_id', '{}');
