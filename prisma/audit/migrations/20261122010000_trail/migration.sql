-- The trail: events that are only ever added, sealed in a chain a domain.

-- Events by day. What is hashed is every column but the last two; which number an event has in its chain is kept unique by
-- sealed_events, since a partitioned table can promise that only within a day.
create table audit_events (
  event_id       text        not null,
  chain_id       text        not null,
  sequence       bigint      not null,
  timestamp      timestamptz not null,
  received_at    timestamptz not null,
  trace_id       text        not null,
  span_id        text,
  parent_span_id text,
  correlation_id text,
  causation_id   text,
  service_name   text        not null,
  event_type     text        not null,
  domain         text,
  entity_type    text,
  entity_id      text,
  entity_key     text        generated always as (entity_type || ':' || entity_id) stored,
  category       text        not null,
  severity       text        not null,
  actor_type     text,
  actor_id       text,
  scenario_id    text,
  chaos_type     text,
  validation_tag text,
  tags           text[]      not null default '{}',
  metadata       jsonb       not null default '{}',
  payload        jsonb       not null default '{}',
  duration_ns    bigint      not null default 0,
  schema_version integer     not null default 1,
  -- feed: read from the change feed of its domain; told: a service said so.
  origin         text        not null,
  prev_hash      text        not null,
  hash           text        not null,

  constraint audit_events_pkey primary key (event_id, timestamp),
  constraint audit_events_sequence check (sequence > 0),
  constraint audit_events_trace check (trace_id ~ '^[0-9a-f]{32}$' and trace_id !~ '^0+$'),
  constraint audit_events_span check (span_id ~ '^[0-9a-f]{16}$' and span_id !~ '^0+$'),
  constraint audit_events_parent_span check (parent_span_id ~ '^[0-9a-f]{16}$' and parent_span_id !~ '^0+$'),
  constraint audit_events_entity check ((entity_type is null) = (entity_id is null)),
  constraint audit_events_category check (category in ('trade', 'risk', 'system', 'compliance', 'chaos')),
  constraint audit_events_severity check (severity in ('info', 'warning', 'error', 'critical')),
  constraint audit_events_duration check (duration_ns >= 0),
  constraint audit_events_origin check (origin in ('feed', 'told')),
  constraint audit_events_hashes check (prev_hash ~ '^[0-9a-f]{64}$' and hash ~ '^[0-9a-f]{64}$')
) partition by range (timestamp);

create index audit_events_time on audit_events (timestamp, event_id);
create index audit_events_trace_time on audit_events (trace_id, timestamp, event_id);
create index audit_events_entity_time on audit_events (entity_key, timestamp, event_id);
create index audit_events_service_time on audit_events (service_name, event_type, timestamp);
create index audit_events_type_time on audit_events (event_type, timestamp);
create index audit_events_correlation on audit_events (correlation_id, timestamp);
create index audit_events_scenario on audit_events (scenario_id, timestamp);
create index audit_events_chain on audit_events (chain_id, sequence);
create index audit_events_tags on audit_events using gin (tags);
create index audit_events_metadata on audit_events using gin (metadata jsonb_path_ops);

-- Whole days that have been put aside: the same rows, in tables that nobody writes to.
create table archived_events (like audit_events including all) partition by range (timestamp);

create view all_events as select * from audit_events union all select * from archived_events;

-- One row an event for ever: its id and its number in its chain are given once. Only its status moves.
create table sealed_events (
  event_id     text        not null,
  chain_id     text        not null,
  sequence     bigint      not null,
  timestamp    timestamptz not null,
  status       text        not null default 'pending',
  failure      text,
  processed_at timestamptz,

  constraint sealed_events_pkey primary key (event_id),
  constraint sealed_events_place unique (chain_id, sequence),
  constraint sealed_events_status check (status in ('pending', 'processed', 'failed', 'skipped')),
  constraint sealed_events_failure check ((status = 'failed') = (failure is not null))
);

create index sealed_events_waiting on sealed_events (timestamp, event_id) where status = 'pending';
create index sealed_events_failed on sealed_events (timestamp, event_id) where status = 'failed';

create function guard_status() returns trigger
  language plpgsql as $$
begin
  if (new.event_id, new.chain_id, new.sequence, new.timestamp) is distinct from
     (old.event_id, old.chain_id, old.sequence, old.timestamp) then
    raise exception 'only the status of an event moves' using errcode = 'restrict_violation';
  end if;
  if new.status <> old.status and not (
       old.status = 'pending' or old.status = 'failed' and new.status = 'pending') then
    raise exception 'an event that is % cannot become %', old.status, new.status using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger guard_status before update on sealed_events for each row execute function guard_status();
create trigger refuse_delete before delete on sealed_events for each row execute function refuse_change();
create trigger refuse_truncate before truncate on sealed_events execute function refuse_change();
create trigger refuse_change before update or delete on audit_events for each row execute function refuse_change();
create trigger refuse_truncate before truncate on audit_events execute function refuse_change();
create trigger refuse_change before update or delete on archived_events for each row execute function refuse_change();
create trigger refuse_truncate before truncate on archived_events execute function refuse_change();
alter table sealed_events enable always trigger guard_status;
alter table sealed_events enable always trigger refuse_delete;
alter table sealed_events enable always trigger refuse_truncate;
alter table audit_events enable always trigger refuse_change;
alter table audit_events enable always trigger refuse_truncate;
alter table archived_events enable always trigger refuse_change;
alter table archived_events enable always trigger refuse_truncate;

-- Makes sure that there is a partition for each of the moments, which may be years apart. Whoever makes one holds up
-- only others who make one.
create function ensure_event_partitions(moments timestamptz[]) returns integer
  language plpgsql security definer set search_path from current as $$
declare
  day timestamp;
  name text;
  made integer := 0;
begin
  for day in select distinct date_trunc('day', moment at time zone 'UTC') from unnest(moments) as moment order by 1 loop
    name := 'audit_events_' || to_char(day, 'YYYYMMDD');
    continue when exists (select from pg_inherits join pg_class on oid = inhrelid
                           where inhparent = 'audit_events'::regclass and relname = name);
    perform pg_advisory_xact_lock(hashtextextended(current_schema() || '.audit_events', 0));
    continue when exists (select from pg_inherits join pg_class on oid = inhrelid
                           where inhparent = 'audit_events'::regclass and relname = name);
    execute format('create table %I (like audit_events including all)', name);
    execute format('create trigger refuse_truncate before truncate on %I execute function refuse_change()', name);
    execute format('alter table %I enable always trigger refuse_truncate', name);
    execute format('alter table audit_events attach partition %I for values from (%L) to (%L)', name,
      day at time zone 'UTC', (day + interval '1 day') at time zone 'UTC');
    execute format('revoke update, delete, truncate on %I from %I', name, session_user);
    execute format('grant select, insert on %I to %I', name, session_user);
    made := made + 1;
  end loop;
  return made;
end $$;

-- The last event of each chain; the first row of a domain is the chain that its events go into.
create table chain_heads (
  chain_id   text        not null,
  domain     text        not null,
  -- Ends where its chain is broken and another goes on.
  is_current boolean     not null default true,
  state      text        not null default 'intact',
  sequence   bigint      not null default 0,
  hash       text        not null default repeat('0', 64),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint chain_heads_pkey primary key (chain_id),
  constraint chain_heads_state check (state in ('intact', 'broken')),
  constraint chain_heads_sequence check (sequence >= 0)
);

create unique index chain_heads_current on chain_heads (domain) where is_current;

create function guard_head() returns trigger
  language plpgsql as $$
begin
  if new.sequence < old.sequence or old.state = 'broken' and new.state = 'intact' or new.is_current and not old.is_current
     or (new.chain_id, new.domain) is distinct from (old.chain_id, old.domain) then
    raise exception 'a chain only goes on' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger guard_head before update on chain_heads for each row execute function guard_head();
create trigger refuse_delete before delete on chain_heads for each row execute function refuse_change();
alter table chain_heads enable always trigger guard_head;
alter table chain_heads enable always trigger refuse_delete;

-- Where a chain was found broken, the first place of it.
create table chain_breaks (
  break_id     text        not null default gen_random_uuid()::text,
  chain_id     text        not null,
  sequence     bigint      not null,
  kind         text        not null,
  detail       text        not null,
  found_at     timestamptz not null default clock_timestamp(),
  -- The chain that goes on after it.
  resealed_as  text,
  resealed_at  timestamptz,
  resealed_by  text,

  constraint chain_breaks_pkey primary key (break_id),
  constraint chain_breaks_chain foreign key (chain_id) references chain_heads on update restrict on delete restrict,
  constraint chain_breaks_next foreign key (resealed_as) references chain_heads (chain_id) on update restrict on delete restrict,
  constraint chain_breaks_kind check (kind in ('content', 'order', 'gap', 'truncation', 'forged'))
);

create unique index chain_breaks_once on chain_breaks (chain_id, sequence, kind);

-- Heads that were written down outside the database as well.
create table chain_anchors (
  anchor_id   text        not null default gen_random_uuid()::text,
  chain_id    text        not null,
  sequence    bigint      not null,
  hash        text        not null,
  anchored_at timestamptz not null default clock_timestamp(),
  places      text[]      not null default '{}',

  constraint chain_anchors_pkey primary key (anchor_id)
);

create index chain_anchors_chain on chain_anchors (chain_id, sequence, anchor_id);
create index chain_anchors_time on chain_anchors (anchored_at, anchor_id);

-- How far each domain's feed has been sealed: moved in the transaction that seals.
create table followed_feeds (
  domain     text        not null,
  cursor     text,
  -- Everything committed there until then is in the trail, or was found not to belong into it.
  told_until timestamptz,
  updated_at timestamptz not null default now(),

  constraint followed_feeds_pkey primary key (domain)
);

-- What belongs together: the source came first.
create table audit_correlations (
  correlation_id   text          not null default gen_random_uuid()::text,
  source_event_id  text          not null,
  target_event_id  text          not null,
  correlation_type text          not null,
  confidence       numeric(5, 4) not null default 0,
  rule_name        text,
  delay_ns         bigint        not null,
  scenario_id      text,
  created_by       text          not null default 'system',
  created_at       timestamptz   not null default now(),

  constraint audit_correlations_pkey primary key (correlation_id),
  constraint audit_correlations_once unique (source_event_id, target_event_id, correlation_type),
  constraint audit_correlations_source foreign key (source_event_id) references sealed_events on update restrict on delete restrict,
  constraint audit_correlations_target foreign key (target_event_id) references sealed_events on update restrict on delete restrict,
  constraint audit_correlations_different check (source_event_id <> target_event_id),
  constraint audit_correlations_type check (correlation_type in ('causal', 'trace', 'temporal', 'service', 'manual')),
  constraint audit_correlations_confidence check (confidence between 0 and 1)
);

create index audit_correlations_target_event on audit_correlations (target_event_id);
create index audit_correlations_by_type on audit_correlations (correlation_type, created_at, correlation_id);
create index audit_correlations_by_time on audit_correlations (created_at, correlation_id);

create table correlation_rules (
  rule_name        text          not null,
  description      text          not null default '',
  -- A type of event; * stands for any text.
  trigger_type     text          not null,
  trigger_service  text,
  trigger_metadata jsonb,
  effect_type      text          not null,
  effect_service   text,
  effect_metadata  jsonb,
  max_delay_ms     integer       not null,
  min_confidence   numeric(5, 4) not null,
  enabled          boolean       not null default true,
  created_at       timestamptz   not null default now(),
  updated_at       timestamptz   not null default now(),
  version          integer       not null default 1,

  constraint correlation_rules_pkey primary key (rule_name),
  constraint correlation_rules_delay check (max_delay_ms between 1 and 86400000),
  constraint correlation_rules_confidence check (min_confidence between 0.7 and 1)
);

create index correlation_rules_time on correlation_rules (created_at, rule_name);
create trigger touch_row before update on correlation_rules for each row execute function touch_row();

-- Confidence of at least 0.9 needs one trace or one correlation id: steps of an order are never guessed by time.
insert into correlation_rules (rule_name, description, trigger_type, effect_type, max_delay_ms, min_confidence) values
  ('chaos-to-alert', 'Injected chaos is followed by an alert of risk.', 'chaos_injection_started', '*risk_alert*', 120000, 0.8),
  ('shock-to-halt', 'A price shock halts a strategy.', 'price_shock_injected', 'strategy_halted', 30000, 0.9),
  ('delay-to-liquidity', 'A late settlement is followed by an alert of liquidity.', 'settlement_delayed', 'liquidity_risk_alert', 300000, 0.7),
  ('signal-to-order', 'A price makes a strategy order.', 'price_update', 'order_created', 300000, 0.9),
  ('order-to-check', 'An order is checked by risk.', 'order_created', 'risk_validation', 300000, 0.9),
  ('order-to-exchange', 'An order reaches the exchange.', 'order_created', 'order_received', 300000, 0.9),
  ('check-to-exchange', 'What risk has let through reaches the exchange.', 'risk_validation', 'order_received', 300000, 0.9),
  ('received-to-execution', 'The exchange executes the order.', 'order_received', 'order_execution', 300000, 0.9),
  ('execution-to-fill', 'Trading records what was executed.', 'order_execution', 'trade_recorded', 300000, 0.9),
  ('execution-to-settlement', 'What was executed is settled.', 'order_execution', 'settlement_initiated', 300000, 0.9),
  ('settlement-to-completion', 'A settlement is completed.', 'settlement_initiated', 'settlement_complete', 86400000, 0.9),
  ('fill-to-alert', 'A fill breaks a limit.', 'trade_recorded', '*risk_alert*', 120000, 0.8);

create table scenario_validations (
  run_id       text        not null,
  scenario_id  text        not null,
  status       text        not null default 'pending',
  started_at   timestamptz not null,
  ended_at     timestamptz,
  -- Whether every domain had been heard until its end when it was judged.
  is_complete  boolean     not null default false,
  -- A list of { name, eventType, serviceName, withinMs, afterEventType, found, eventId, delayMs, withinSla }.
  expectations jsonb       not null default '[]',
  validated_at timestamptz,
  trace_id     text,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  version      integer     not null default 1,

  constraint scenario_validations_pkey primary key (run_id),
  constraint scenario_validations_status check (status in ('pending', 'passed', 'failed', 'skipped')),
  constraint scenario_validations_window check (ended_at >= started_at),
  constraint scenario_validations_judged check ((status = 'pending') = (validated_at is null))
);

create index scenario_validations_scenario on scenario_validations (scenario_id, started_at);
create index scenario_validations_time on scenario_validations (created_at, run_id);
create trigger touch_row before update on scenario_validations for each row execute function touch_row();

create table audit_reports (
  report_id       text        not null default gen_random_uuid()::text,
  range_start     timestamptz not null,
  range_end       timestamptz not null,
  scenario_id     text,
  summary         jsonb       not null,
  compliance      text        not null,
  recommendations text[]      not null default '{}',
  generated_by    text        not null,
  trace_id        text,
  created_at      timestamptz not null default now(),

  constraint audit_reports_pkey primary key (report_id),
  constraint audit_reports_range check (range_end > range_start),
  constraint audit_reports_compliance check (compliance in ('compliant', 'findings', 'broken'))
);

create index audit_reports_time on audit_reports (created_at, report_id);

-- Which part of a chain lies in which archived day. Its first and last hash join on to what is left.
create table archived_ranges (
  range_id       text        not null default gen_random_uuid()::text,
  day            date        not null,
  chain_id       text        not null,
  first_sequence bigint      not null,
  last_sequence  bigint      not null,
  first_hash     text        not null,
  last_hash      text        not null,
  event_count    bigint      not null,
  archived_by    text        not null,
  archived_at    timestamptz not null default now(),

  constraint archived_ranges_pkey primary key (range_id),
  constraint archived_ranges_order check (last_sequence >= first_sequence and event_count > 0)
);

create index archived_ranges_time on archived_ranges (archived_at, range_id);

-- Puts a day aside with its rows as they are, in the caller's transaction. Of a day that has been put aside before, what
-- has come since joins it.
create function archive_event_day(day date, by_whom text) returns bigint
  language plpgsql security definer set search_path from current as $$
declare
  source text := 'audit_events_' || to_char(day, 'YYYYMMDD');
  target text := 'archived_events_' || to_char(day, 'YYYYMMDD');
  columns text;
  moved bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || '.audit_events', 0));
  if not exists (select from pg_inherits join pg_class on oid = inhrelid
                  where inhparent = 'audit_events'::regclass and relname = source) then
    return 0;
  end if;
  execute format('alter table audit_events detach partition %I', source);
  execute format($sql$
    insert into archived_ranges (day, chain_id, first_sequence, last_sequence, first_hash, last_hash, event_count, archived_by)
    select %L::date, chain_id, min(sequence), max(sequence), (array_agg(hash order by sequence))[1],
           (array_agg(hash order by sequence desc))[1], count(*), %L from %I group by chain_id
  $sql$, day, by_whom, source);
  execute format('select count(*) from %I', source) into moved;
  if to_regclass(target) is null then
    execute format('alter table %I rename to %I', source, target);
    execute format('alter table archived_events attach partition %I for values from (%L) to (%L)', target,
      day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
  else
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns from pg_attribute
     where attrelid = 'audit_events'::regclass and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('insert into %I (%s) select %s from %I', target, columns, columns, source);
    execute format('drop table %I', source);
  end if;
  return moved;
end $$;

select capture('audit_events', 'event_id', '{trace_id, entity_key, service_name}');
select capture('audit_correlations', 'correlation_id', '{source_event_id, target_event_id}');
select capture('correlation_rules', 'rule_name', '{}');
select capture('scenario_validations', 'run_id', '{scenario_id}');
select capture('chain_breaks', 'break_id', '{chain_id}');
select capture('audit_reports', 'report_id', '{}');

-- What the role of the domain may do with the trail: read it, and add to it.
do $$
declare
  part text;
begin
  foreach part in array array['audit_events', 'archived_events', 'sealed_events', 'chain_heads', 'chain_breaks', 'chain_anchors',
                              'archived_ranges'] loop
    execute format('revoke update, delete, truncate on %I from %I', part, current_user);
  end loop;
  execute format('grant update (status, failure, processed_at) on sealed_events to %I', current_user);
  execute format('grant update (sequence, hash, state, is_current, updated_at) on chain_heads to %I', current_user);
  execute format('grant update (resealed_as, resealed_at, resealed_by) on chain_breaks to %I', current_user);
end $$;
select ensure_event_partitions(array[now(), now() + interval '1 day', now() + interval '2 days']);
