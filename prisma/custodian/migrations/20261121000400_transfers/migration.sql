-- Transfers, and the approvals that they and other risky steps need; compliance; the halt of everything.

create or replace function record_step() returns trigger
  language plpgsql as $$
declare
  image jsonb := to_jsonb(new);
  status text := image ->> tg_argv[2];
  was text := case when tg_op = 'UPDATE' then to_jsonb(old) ->> tg_argv[2] end;
begin
  if status is distinct from was then
    insert into audit_trail (subject_type, subject_id, account_id, from_status, to_status, actor, reason, trace_id)
    values (tg_argv[0], image ->> tg_argv[1], coalesce(image ->> 'account_id', image ->> 'from_account_id'), was, status,
            coalesce(image ->> 'actor', image ->> 'approver_id'),
            coalesce(image ->> 'failure_reason', image ->> 'reason', image ->> 'frozen_reason'), image ->> 'trace_id');
  end if;
  return null;
end $$;

-- Approvals ----------------------------------------------------------------------------------------------------------

create table approval_requests (
  request_id     uuid          not null default gen_random_uuid(),
  subject_type   text          not null,
  subject_id     uuid          not null,
  account_id     text          not null,
  usd_value      numeric(38,8) not null,
  -- From 1; 0 where two persons are asked for whatever the value.
  tier           integer       not null,
  required       integer       not null,
  approved_count integer       not null default 0,
  status         text          not null default 'PENDING',
  requested_by   text          not null,
  -- Who has voted, for readers that must not be asked again.
  voters         text[]        not null default '{}',
  expires_at     timestamptz   not null,
  policy_version integer       not null,
  actor          text,
  trace_id       char(32),
  created_at     timestamptz   not null default clock_timestamp(),
  updated_at     timestamptz   not null default clock_timestamp(),
  version        integer       not null default 1,

  constraint approval_requests_pkey primary key (request_id),
  constraint approval_requests_subject_key unique (subject_type, subject_id),
  constraint approval_requests_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint approval_requests_subject check (subject_type in ('TRANSFER', 'ADJUSTMENT', 'WRITE_OFF')),
  constraint approval_requests_status check (
    status in ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED', 'TIMED_OUT', 'FAILED')),
  constraint approval_requests_required check (required between 1 and 10 and approved_count between 0 and required),
  constraint approval_requests_approved check (
    case status when 'PENDING' then approved_count < required when 'APPROVED' then approved_count = required else true end),
  constraint approval_requests_requested_by_length check (length(requested_by) between 1 and 255),
  constraint approval_requests_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint approval_requests_version check (version >= 1)
);

create index approval_requests_created on approval_requests (created_at, request_id);
create index approval_requests_by_status on approval_requests (status, created_at, request_id);
create index approval_requests_expiring on approval_requests (expires_at) where status = 'PENDING';

create trigger approval_requests_touch before update on approval_requests for each row execute function touch_row();
create trigger approval_requests_no_delete before delete on approval_requests
  for each row execute function refuse_change();
create trigger approval_requests_recorded after insert or update on approval_requests
  for each row execute function record_step('APPROVAL_REQUEST', 'request_id', 'status');

create table votes (
  vote_id     uuid        not null default gen_random_uuid(),
  request_id  uuid        not null,
  approver_id text        not null,
  decision    text        not null,
  reason      text,
  signature   text,
  trace_id    char(32),
  decided_at  timestamptz not null default clock_timestamp(),

  constraint votes_pkey primary key (vote_id),
  constraint votes_once_key unique (request_id, approver_id),
  constraint votes_request foreign key (request_id) references approval_requests (request_id)
    on update restrict on delete restrict,
  constraint votes_approver_length check (length(approver_id) between 1 and 255),
  constraint votes_decision check (decision in ('APPROVE', 'REJECT')),
  constraint votes_reason_length check (length(reason) between 1 and 1000),
  constraint votes_signature_length check (length(signature) between 1 and 1000),
  constraint votes_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index votes_by_request on votes (request_id, decided_at);

create function refuse_own_vote() returns trigger
  language plpgsql as $$
begin
  if exists (select from approval_requests where request_id = new.request_id
              and (requested_by = new.approver_id or status <> 'PENDING')) then
    raise exception 'nobody approves what he asked for himself, or what is decided' using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger votes_by_others before insert on votes for each row execute function refuse_own_vote();
create trigger votes_append_only before update or delete on votes for each row execute function refuse_change();
create trigger votes_no_truncate before truncate on votes for each statement execute function refuse_change();
create trigger votes_recorded after insert on votes
  for each row execute function record_step('VOTE', 'request_id', 'decision');

-- Transfers ----------------------------------------------------------------------------------------------------------

create table transfers (
  transfer_id         uuid          not null default gen_random_uuid(),
  from_account_id     text          not null,
  to_account_id       text          not null,
  asset               text          not null,
  amount              numeric(24,8) not null,
  -- At the request.
  usd_value           numeric(38,8) not null,
  rail                text          not null,
  is_urgent           boolean       not null default false,
  status              text          not null default 'REQUESTED',
  -- What the source has set aside, until the settlement takes that over.
  reserved_amount     numeric(24,8) not null default 0,
  approval_request_id uuid,
  settlement_id       uuid,
  requested_by        text          not null,
  memo                text,
  failure_reason      text,
  actor               text,
  completed_at        timestamptz,
  trace_id            char(32),
  created_at          timestamptz   not null default clock_timestamp(),
  updated_at          timestamptz   not null default clock_timestamp(),
  version             integer       not null default 1,

  constraint transfers_pkey primary key (transfer_id),
  constraint transfers_from foreign key (from_account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint transfers_to foreign key (to_account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint transfers_asset foreign key (asset) references assets (code) on update restrict on delete restrict,
  constraint transfers_approval foreign key (approval_request_id) references approval_requests (request_id)
    on update restrict on delete restrict,
  constraint transfers_settlement foreign key (settlement_id) references settlements (settlement_id)
    on update restrict on delete restrict,
  constraint transfers_ends check (from_account_id <> to_account_id),
  constraint transfers_amount_positive check (amount > 0),
  constraint transfers_rail check (
    rail in ('CRYPTO_INTERNAL', 'CRYPTO_EXTERNAL', 'ACH', 'WIRE_DOMESTIC', 'WIRE_INTERNATIONAL')),
  constraint transfers_status check (
    status in ('REQUESTED', 'PENDING_APPROVAL', 'APPROVED', 'PROCESSING', 'COMPLETED', 'REJECTED', 'EXPIRED', 'CANCELLED',
               'FAILED')),
  constraint transfers_reserved check (reserved_amount = case status when 'PENDING_APPROVAL' then amount else 0 end),
  constraint transfers_requested_by_length check (length(requested_by) between 1 and 255),
  constraint transfers_memo_length check (length(memo) between 1 and 1000),
  constraint transfers_completed check ((completed_at is not null) = (status = 'COMPLETED')),
  constraint transfers_settled check (
    status not in ('APPROVED', 'PROCESSING', 'COMPLETED') or settlement_id is not null),
  constraint transfers_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint transfers_version check (version >= 1)
);

create index transfers_created on transfers (created_at, transfer_id);
create index transfers_by_source on transfers (from_account_id, created_at, transfer_id);
create index transfers_by_destination on transfers (to_account_id, created_at, transfer_id);
create index transfers_by_status on transfers (status, created_at, transfer_id);

-- No transfer proceeds without its approvals, whoever writes it.
create function refuse_unapproved_transfer() returns trigger
  language plpgsql as $$
begin
  if new.status in ('APPROVED', 'PROCESSING', 'COMPLETED') and not exists (
    select from approval_requests as request
     where request.request_id = new.approval_request_id and request.subject_id = new.transfer_id
       and request.status = 'APPROVED'
       and (select count(*) from votes where votes.request_id = request.request_id and decision = 'APPROVE') >= request.required
  ) then
    raise exception 'a transfer needs its approvals' using errcode = 'check_violation';
  end if;
  return new;
end $$;

create trigger transfers_approved before insert or update on transfers
  for each row execute function refuse_unapproved_transfer();
create trigger transfers_touch before update on transfers for each row execute function touch_row();
create trigger transfers_no_delete before delete on transfers for each row execute function refuse_change();
create trigger transfers_recorded after insert or update on transfers
  for each row execute function record_step('TRANSFER', 'transfer_id', 'status');

-- One row. Whoever moves a transfer on shares its lock; a halt waits for them, and then nobody does.
create table transfer_halts (
  halt_id    text        not null default 'transfers',
  status     text        not null default 'RUNNING',
  reason     text,
  actor      text,
  trace_id   char(32),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  version    integer     not null default 1,

  constraint transfer_halts_pkey primary key (halt_id),
  constraint transfer_halts_one check (halt_id = 'transfers'),
  constraint transfer_halts_status check (status in ('RUNNING', 'HALTED')),
  constraint transfer_halts_reason check (
    (reason is not null) = (status = 'HALTED') and length(reason) between 1 and 1000),
  constraint transfer_halts_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint transfer_halts_version check (version >= 1)
);
insert into transfer_halts default values;

create trigger transfer_halts_touch before update on transfer_halts for each row execute function touch_row();
create trigger transfer_halts_no_delete before delete on transfer_halts for each row execute function refuse_change();
create trigger transfer_halts_recorded after update on transfer_halts
  for each row execute function record_step('HALT', 'halt_id', 'status');

-- Compliance ---------------------------------------------------------------------------------------------------------

-- Clients and accounts with whom nothing may be exchanged.
create table sanctioned_parties (
  party_id   text        not null,
  reason     text        not null,
  actor      text        not null,
  trace_id   char(32),
  created_at timestamptz not null default clock_timestamp(),

  constraint sanctioned_parties_pkey primary key (party_id),
  constraint sanctioned_parties_id_length check (length(party_id) between 1 and 255),
  constraint sanctioned_parties_reason_length check (length(reason) between 1 and 1000),
  constraint sanctioned_parties_actor_length check (length(actor) between 1 and 255),
  constraint sanctioned_parties_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create table compliance_checks (
  check_id     uuid        not null default gen_random_uuid(),
  subject_type text        not null,
  subject_id   uuid        not null,
  account_id   text        not null,
  kind         text        not null,
  result       text        not null,
  details      text        not null,
  trace_id     char(32),
  checked_at   timestamptz not null default clock_timestamp(),

  constraint compliance_checks_pkey primary key (check_id),
  constraint compliance_checks_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint compliance_checks_subject check (subject_type in ('TRANSFER')),
  constraint compliance_checks_kind check (
    kind in ('AML', 'KYC', 'VELOCITY', 'CONCENTRATION', 'COUNTERPARTY', 'SANCTIONS')),
  constraint compliance_checks_result check (result in ('PASS', 'REVIEW', 'FAIL')),
  constraint compliance_checks_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index compliance_checks_at on compliance_checks (checked_at, check_id);
create index compliance_checks_by_subject on compliance_checks (subject_id, checked_at, check_id);
create index compliance_checks_by_account on compliance_checks (account_id, checked_at, check_id);

create trigger compliance_checks_append_only before update or delete on compliance_checks
  for each row execute function refuse_change();

select capture('approval_requests', 'request_id', '{status, subject_id}');
select capture('votes', 'vote_id', '{request_id}');
select capture('transfers', 'transfer_id', '{from_account_id, to_account_id}');
select capture('transfer_halts', 'halt_id', '{}');
