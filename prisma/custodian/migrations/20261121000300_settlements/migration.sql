-- Settlement instructions: something goes from a source to a destination, and where it is paid for, the payment the other
-- way in the same posting (delivery versus payment).

create table settlements (
  settlement_id            uuid          not null default gen_random_uuid(),
  external_id              text,
  instruction_type         text          not null,
  rail                     text          not null,
  cycle                    text          not null,
  status                   text          not null default 'PENDING',
  -- Whose instruction it is: the source's or the destination's.
  account_id               text          not null,
  source_account_id        text          not null,
  destination_account_id   text          not null,
  asset                    text          not null,
  quantity                 numeric(24,8) not null,
  settled_quantity         numeric(24,8) not null default 0,
  -- What the source has reserved for the rest.
  reserved_quantity        numeric(24,8) not null default 0,
  -- The payment, from the destination to the source.
  currency                 text,
  cash_amount              numeric(24,8),
  settled_cash             numeric(24,8) not null default 0,
  reserved_cash            numeric(24,8) not null default 0,
  usd_value                numeric(38,8),
  trade_date               date          not null,
  expected_settlement_date date          not null,
  due_at                   timestamptz   not null,
  deadline_at              timestamptz   not null,
  venue_id                 text,
  -- The trade at the exchange of this graph that it settles; its first instruction and those that try again.
  exchange_trade_id        uuid,
  transfer_id              uuid,
  retry_of                 uuid,
  failure_reason           text,
  -- Who moved it by hand, where somebody did.
  actor                    text,
  initiated_at             timestamptz   not null,
  started_at               timestamptz,
  completed_at             timestamptz,
  trace_id                 char(32),
  created_at               timestamptz   not null default clock_timestamp(),
  updated_at               timestamptz   not null default clock_timestamp(),
  version                  integer       not null default 1,

  constraint settlements_pkey primary key (settlement_id),
  constraint settlements_external_key unique (external_id),
  constraint settlements_retry_key unique (retry_of),
  constraint settlements_retry foreign key (retry_of) references settlements (settlement_id)
    on update restrict on delete restrict,
  constraint settlements_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint settlements_source foreign key (source_account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint settlements_destination foreign key (destination_account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint settlements_asset foreign key (asset) references assets (code) on update restrict on delete restrict,
  constraint settlements_currency foreign key (currency) references assets (code) on update restrict on delete restrict,
  constraint settlements_external_length check (length(external_id) between 1 and 100),
  constraint settlements_type check (instruction_type in ('DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'TRADE_SETTLEMENT')),
  constraint settlements_rail check (
    rail in ('CRYPTO_INTERNAL', 'CRYPTO_EXTERNAL', 'ACH', 'WIRE_DOMESTIC', 'WIRE_INTERNATIONAL')),
  constraint settlements_cycle check (cycle in ('T0', 'T1', 'T2', 'T3')),
  constraint settlements_status check (
    status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED', 'COMPLETED', 'FAILED', 'CANCELLED')),
  constraint settlements_ends check (
    source_account_id <> destination_account_id and account_id in (source_account_id, destination_account_id)),
  constraint settlements_quantity_positive check (quantity > 0),
  constraint settlements_settled_within check (settled_quantity between 0 and quantity),
  constraint settlements_reserved_within check (reserved_quantity between 0 and quantity - settled_quantity),
  constraint settlements_payment check ((currency is null) = (cash_amount is null) and cash_amount > 0),
  constraint settlements_paid_within check (
    settled_cash between 0 and coalesce(cash_amount, 0)
      and reserved_cash between 0 and coalesce(cash_amount, 0) - settled_cash),
  -- Done is when both legs are.
  constraint settlements_completed check (
    (status = 'COMPLETED') = (settled_quantity = quantity and settled_cash = coalesce(cash_amount, 0))
      and (status = 'COMPLETED') = (completed_at is not null)),
  constraint settlements_unsettled check (status not in ('PENDING', 'IN_PROGRESS', 'CANCELLED') or settled_quantity = 0),
  constraint settlements_partly check (status <> 'PARTIALLY_SETTLED' or settled_quantity > 0),
  constraint settlements_nothing_kept check (
    status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED') or (reserved_quantity = 0 and reserved_cash = 0)),
  constraint settlements_failed check ((failure_reason is not null) = (status = 'FAILED')),
  constraint settlements_order_of_times check (completed_at >= initiated_at and deadline_at >= due_at),
  constraint settlements_trade check (exchange_trade_id is null or instruction_type = 'TRADE_SETTLEMENT'),
  constraint settlements_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint settlements_version check (version >= 1)
);

-- A trade has one instruction, and at most one that tries again for each that failed.
create unique index settlements_trade_key on settlements (exchange_trade_id) where retry_of is null;
create index settlements_by_trade on settlements (exchange_trade_id, created_at) where exchange_trade_id is not null;
create index settlements_initiated on settlements (initiated_at, settlement_id);
create index settlements_by_account on settlements (account_id, initiated_at, settlement_id);
create index settlements_by_source on settlements (source_account_id, initiated_at, settlement_id);
create index settlements_by_destination on settlements (destination_account_id, initiated_at, settlement_id);
create index settlements_by_status on settlements (status, initiated_at, settlement_id);
create index settlements_by_type on settlements (instruction_type, initiated_at, settlement_id);
create index settlements_by_transfer on settlements (transfer_id) where transfer_id is not null;
-- The queue.
create index settlements_due on settlements (expected_settlement_date, due_at, settlement_id)
  where status in ('PENDING', 'PARTIALLY_SETTLED');
create index settlements_open_by_account on settlements (account_id, asset)
  where status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED');

-- Where a settlement can go from each state (domain.md §4.3), whoever writes it.
create function refuse_settlement_step() returns trigger
  language plpgsql as $$
begin
  if new.status <> old.status and not (case old.status
    when 'PENDING' then new.status in ('IN_PROGRESS', 'CANCELLED', 'FAILED')
    when 'IN_PROGRESS' then new.status in ('COMPLETED', 'PARTIALLY_SETTLED', 'FAILED')
    when 'PARTIALLY_SETTLED' then new.status in ('COMPLETED', 'FAILED')
    else false
  end) then
    raise exception 'a settlement that is % cannot become %', old.status, new.status using errcode = 'check_violation';
  end if;
  if old.status in ('COMPLETED', 'FAILED', 'CANCELLED') or new.settled_quantity < old.settled_quantity then
    raise exception 'what has been settled is not changed' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger settlements_steps before update on settlements for each row execute function refuse_settlement_step();
create trigger settlements_touch before update on settlements for each row execute function touch_row();
create trigger settlements_no_delete before delete on settlements for each row execute function refuse_change();
create trigger settlements_recorded after insert or update on settlements
  for each row execute function record_step('SETTLEMENT', 'settlement_id', 'status');

select capture('settlements', 'settlement_id',
  '{account_id, source_account_id, destination_account_id, exchange_trade_id, transfer_id}');
