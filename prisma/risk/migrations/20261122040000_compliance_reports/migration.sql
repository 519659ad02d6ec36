-- Compliance reports: what happened in a period, put together once and kept as it was.

create table compliance_reports (
  report_id    uuid        not null default gen_random_uuid(),
  kind         text        not null,
  period_from  timestamptz not null,
  period_to    timestamptz not null,
  -- Null for all accounts.
  account_id   text,
  payload      jsonb       not null,
  -- Whether there was more than a report holds.
  is_cut       boolean     not null,
  generated_by text        not null,
  generated_at timestamptz not null,
  trace_id     char(32),

  constraint compliance_reports_pkey primary key (report_id),
  constraint compliance_reports_kind check (kind in ('limit_breaches', 'performance_attribution', 'compliance_trail')),
  constraint compliance_reports_period check (period_from < period_to),
  constraint compliance_reports_by_length check (length(generated_by) between 1 and 255),
  constraint compliance_reports_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index compliance_reports_generated on compliance_reports (generated_at, report_id);
create index compliance_reports_by_kind on compliance_reports (kind, generated_at, report_id);
create index compliance_reports_by_account on compliance_reports (account_id, generated_at, report_id);

create trigger compliance_reports_append_only before update or delete on compliance_reports
  for each row execute function refuse_change();
create trigger compliance_reports_no_truncate before truncate on compliance_reports
  for each statement execute function refuse_change();

-- What is old is found by its time alone.
create index risk_alerts_over on risk_alerts (triggered_at, alert_id) where status in ('resolved', 'expired');
