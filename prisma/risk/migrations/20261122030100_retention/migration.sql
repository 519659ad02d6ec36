-- What has been over for long goes: breaches with the alerts of them, and what shocks would have cost.
drop trigger stress_test_results_append_only on stress_test_results;
create trigger stress_test_results_never_changed before update on stress_test_results
  for each row execute function refuse_change();

create index risk_breaches_over on risk_breaches (ended_at, breach_id) where ended_at is not null;

-- Alerts that risk raises by itself are found by what they are about.
create index risk_alerts_open_by_metric on risk_alerts (metric_name, dedup_key) where status in ('active', 'acknowledged');
