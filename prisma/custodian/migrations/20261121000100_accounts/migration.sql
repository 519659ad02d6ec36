-- Custody accounts, what they hold, the ledger behind it, and the accounts of venues that they stand for. Amounts of one
-- posting are numeric(24,8); holdings add many of them up and are numeric(38,8).

-- Accounts -----------------------------------------------------------------------------------------------------------

-- EXTERNAL stands in the ledger for the world outside; it, FEE and SUSPENSE are the custodian's own.
create table accounts (
  account_id        text        not null,
  client_id         text        not null,
  kind              text        not null,
  parent_account_id text,
  name              text,
  status            text        not null default 'ACTIVE',
  frozen_reason     text,
  jurisdiction      text,
  metadata          jsonb       not null default '{}',
  trace_id          char(32),
  created_at        timestamptz not null default clock_timestamp(),
  updated_at        timestamptz not null default clock_timestamp(),
  version           integer     not null default 1,

  constraint accounts_pkey primary key (account_id),
  -- What a segregated account refers to: it has its master's client.
  constraint accounts_family_key unique (account_id, client_id),
  constraint accounts_parent foreign key (parent_account_id, client_id) references accounts (account_id, client_id)
    on update restrict on delete restrict,
  constraint accounts_id_spelling check (account_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$'),
  constraint accounts_client_length check (length(client_id) between 1 and 255),
  constraint accounts_kind check (kind in ('MASTER', 'SEGREGATED', 'OMNIBUS', 'FEE', 'SUSPENSE', 'EXTERNAL')),
  constraint accounts_own check ((kind in ('FEE', 'SUSPENSE', 'EXTERNAL')) = (client_id = 'custodian')),
  constraint accounts_segregated check ((kind = 'SEGREGATED') = (parent_account_id is not null)),
  constraint accounts_name_length check (length(name) between 1 and 100),
  constraint accounts_status check (status in ('ACTIVE', 'FROZEN', 'CLOSED')),
  constraint accounts_frozen_reason check (
    (frozen_reason is not null) = (status = 'FROZEN') and length(frozen_reason) between 1 and 1000),
  constraint accounts_jurisdiction check (jurisdiction ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
  constraint accounts_metadata check (jsonb_typeof(metadata) = 'object'),
  constraint accounts_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint accounts_changed_after_created check (updated_at >= created_at),
  constraint accounts_version check (version >= 1)
);

create unique index accounts_master_key on accounts (client_id) where kind = 'MASTER';
create index accounts_created on accounts (created_at, account_id);
create index accounts_by_client on accounts (client_id, created_at, account_id);
create index accounts_by_parent on accounts (parent_account_id, account_id) where parent_account_id is not null;

create trigger accounts_touch before update on accounts for each row execute function touch_row();
create trigger accounts_no_delete before delete on accounts for each row execute function refuse_change();

insert into accounts (account_id, client_id, kind, name) values
  ('external', 'custodian', 'EXTERNAL', 'The world outside'),
  ('suspense', 'custodian', 'SUSPENSE', 'What has no owner yet'),
  ('fees', 'custodian', 'FEE', 'Fees received');

-- Which account at a venue a custody account stands for: its trades are settled there, and what both hold is compared.
create table account_links (
  link_id            uuid        not null default gen_random_uuid(),
  custody_account_id text        not null,
  venue_id           text        not null,
  venue_account_id   text        not null,
  -- Trades of the venue account from then on are settled.
  settles_from       timestamptz not null default clock_timestamp(),
  trace_id           char(32),
  created_at         timestamptz not null default clock_timestamp(),
  updated_at         timestamptz not null default clock_timestamp(),
  version            integer     not null default 1,

  constraint account_links_pkey primary key (link_id),
  constraint account_links_venue_key unique (venue_id, venue_account_id),
  constraint account_links_account foreign key (custody_account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint account_links_venue check (venue_id ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  constraint account_links_venue_account_length check (length(venue_account_id) between 1 and 255),
  constraint account_links_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint account_links_version check (version >= 1)
);

create index account_links_by_account on account_links (custody_account_id, venue_id, venue_account_id);
create index account_links_by_venue_account on account_links (venue_account_id);

create trigger account_links_touch before update on account_links for each row execute function touch_row();

-- Holdings -----------------------------------------------------------------------------------------------------------

-- The assets that were ever kept, and whether they are money.
create table assets (
  code       text        not null,
  is_cash    boolean     not null,
  created_at timestamptz not null default clock_timestamp(),

  constraint assets_pkey primary key (code),
  constraint assets_cash_key unique (code, is_cash),
  constraint assets_code_spelling check (code ~ '^[A-Z0-9]{1,20}$')
);

-- What an account holds of one asset: positions, and balances of money. `reserved` is what instructions and transfers will
-- take, `held` what was locked by hand. They are the sums of the ledger's entries, and nobody writes them but its trigger.
-- EXTERNAL has none: its side is in the ledger only.
create table holdings (
  holding_id         uuid          not null default gen_random_uuid(),
  account_id         text          not null,
  asset              text          not null,
  is_cash            boolean       not null,
  available_quantity numeric(38,8) not null default 0,
  reserved_quantity  numeric(38,8) not null default 0,
  held_quantity      numeric(38,8) not null default 0,
  locked_quantity    numeric(38,8) not null generated always as (reserved_quantity + held_quantity) stored,
  quantity           numeric(38,8) not null
    generated always as (available_quantity + reserved_quantity + held_quantity) stored,
  -- Weighted by what was paid, in US dollars a unit; null where something came in without a price.
  average_cost       numeric(24,8),
  trace_id           char(32),
  created_at         timestamptz   not null default clock_timestamp(),
  updated_at         timestamptz   not null default clock_timestamp(),
  version            integer       not null default 1,

  constraint holdings_pkey primary key (holding_id),
  constraint holdings_account_asset_key unique (account_id, asset),
  constraint holdings_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint holdings_asset foreign key (asset, is_cash) references assets (code, is_cash)
    on update restrict on delete restrict,
  constraint holdings_available_not_negative check (available_quantity >= 0),
  constraint holdings_reserved_not_negative check (reserved_quantity >= 0),
  constraint holdings_held_not_negative check (held_quantity >= 0),
  constraint holdings_average_cost_not_negative check (average_cost >= 0),
  constraint holdings_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint holdings_version check (version >= 1)
) with (fillfactor = 80); -- room for new amounts

create index holdings_by_asset on holdings (asset, holding_id);

create trigger holdings_touch before update on holdings for each row execute function touch_row();
create trigger holdings_no_delete before delete on holdings for each row execute function refuse_change();

-- Ledger -------------------------------------------------------------------------------------------------------------

-- Double entry: the entries of a posting sum to zero in each asset.
create table ledger_entries (
  entry_id   bigint        not null generated always as identity,
  posting_id uuid          not null,
  account_id text          not null,
  asset      text          not null,
  bucket     text          not null,
  amount     numeric(24,8) not null,
  -- What a unit of what comes in was paid with, in US dollars, where that is known.
  unit_cost  numeric(24,8),
  kind       text          not null,
  ref_type   text          not null,
  ref_id     text          not null,
  trace_id   char(32),
  created_at timestamptz   not null default clock_timestamp(),

  constraint ledger_entries_pkey primary key (entry_id),
  constraint ledger_entries_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint ledger_entries_asset foreign key (asset) references assets (code) on update restrict on delete restrict,
  constraint ledger_entries_bucket check (bucket in ('AVAILABLE', 'RESERVED', 'HELD')),
  constraint ledger_entries_amount check (amount <> 0),
  constraint ledger_entries_kind check (
    kind in ('DEPOSIT', 'WITHDRAWAL', 'TRANSFER', 'TRADE', 'RESERVE', 'RELEASE', 'HOLD', 'UNHOLD', 'ADJUSTMENT',
             'WRITE_OFF')),
  constraint ledger_entries_ref_type check (
    ref_type in ('EXTERNAL', 'SETTLEMENT', 'TRANSFER', 'ADJUSTMENT', 'BREAK', 'HOLD')),
  constraint ledger_entries_ref_length check (length(ref_id) between 1 and 255),
  constraint ledger_entries_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index ledger_entries_by_account on ledger_entries (account_id, created_at, entry_id);
create index ledger_entries_by_posting on ledger_entries (posting_id);
create index ledger_entries_by_ref on ledger_entries (ref_id, entry_id);

-- A posting is written by one statement, so that its balance can be seen there and then. The holdings follow it in the
-- same statement, whoever writes it; one that would fall below zero refuses the whole.
create function post_entries() returns trigger
  language plpgsql as $$
begin
  if exists (select from added group by posting_id, asset having sum(amount) <> 0) then
    raise exception 'the entries of a posting must sum to zero in each asset' using errcode = 'check_violation';
  end if;

  insert into holdings (account_id, asset, is_cash)
  select distinct account_id, asset, assets.is_cash
    from added join accounts using (account_id) join assets on assets.code = added.asset
   where accounts.kind <> 'EXTERNAL'
   order by account_id, asset
  on conflict (account_id, asset) do nothing;

  update holdings
     set available_quantity = available_quantity + moved.available,
         reserved_quantity = reserved_quantity + moved.reserved,
         held_quantity = held_quantity + moved.held,
         average_cost = case
           when moved.total <= 0 then case when quantity + moved.total = 0 then null else average_cost end
           when quantity = 0 then moved.unit_cost
           else round((quantity * average_cost + moved.total * moved.unit_cost) / (quantity + moved.total), 8)
         end,
         trace_id = moved.trace_id
    from (
      select account_id, asset, sum(amount) as total,
             coalesce(sum(amount) filter (where bucket = 'AVAILABLE'), 0) as available,
             coalesce(sum(amount) filter (where bucket = 'RESERVED'), 0) as reserved,
             coalesce(sum(amount) filter (where bucket = 'HELD'), 0) as held,
             max(unit_cost) as unit_cost, max(trace_id) as trace_id
        from added group by account_id, asset) as moved
   where holdings.account_id = moved.account_id and holdings.asset = moved.asset;
  return null;
end $$;

create trigger ledger_entries_post after insert on ledger_entries
  referencing new table as added for each statement execute function post_entries();
create trigger ledger_entries_append_only before update or delete on ledger_entries
  for each row execute function refuse_change();
create trigger ledger_entries_no_truncate before truncate on ledger_entries
  for each statement execute function refuse_change();

-- Audit trail --------------------------------------------------------------------------------------------------------

-- Every new thing and every step of its state, whoever made it.
create table audit_trail (
  entry_id     bigint      not null generated always as identity,
  subject_type text        not null,
  subject_id   text        not null,
  account_id   text,
  from_status  text,
  to_status    text        not null,
  -- Who asked for it or decided it, where that is said.
  actor        text,
  reason       text,
  trace_id     char(32),
  at           timestamptz not null default clock_timestamp(),

  constraint audit_trail_pkey primary key (entry_id)
);

create index audit_trail_at on audit_trail (at, entry_id);
create index audit_trail_by_subject on audit_trail (subject_id, entry_id);
create index audit_trail_by_account on audit_trail (account_id, at, entry_id) where account_id is not null;

create trigger audit_trail_append_only before update or delete on audit_trail
  for each row execute function refuse_change();
create trigger audit_trail_no_truncate before truncate on audit_trail
  for each statement execute function refuse_change();

-- Arguments: the type of the subject, the column of its id, and that of its state.
create function record_step() returns trigger
  language plpgsql as $$
declare
  image jsonb := to_jsonb(new);
  status text := image ->> tg_argv[2];
  was text := case when tg_op = 'UPDATE' then to_jsonb(old) ->> tg_argv[2] end;
begin
  if status is distinct from was then
    insert into audit_trail (subject_type, subject_id, account_id, from_status, to_status, actor, reason, trace_id)
    values (tg_argv[0], image ->> tg_argv[1], coalesce(image ->> 'account_id', image ->> 'from_account_id'), was, status,
            image ->> 'actor', coalesce(image ->> 'failure_reason', image ->> 'reason', image ->> 'frozen_reason'),
            image ->> 'trace_id');
  end if;
  return null;
end $$;

create trigger accounts_recorded after insert or update on accounts
  for each row execute function record_step('ACCOUNT', 'account_id', 'status');

-- Adjustments --------------------------------------------------------------------------------------------------------

-- Corrections of a holding by hand; one person asks, another approves.
create table adjustments (
  adjustment_id uuid          not null default gen_random_uuid(),
  account_id    text          not null,
  asset         text          not null,
  amount        numeric(24,8) not null,
  reason        text          not null,
  requested_by  text          not null,
  status        text          not null default 'PENDING_APPROVAL',
  actor         text          not null,
  posting_id    uuid,
  trace_id      char(32),
  created_at    timestamptz   not null default clock_timestamp(),
  updated_at    timestamptz   not null default clock_timestamp(),
  version       integer       not null default 1,

  constraint adjustments_pkey primary key (adjustment_id),
  constraint adjustments_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint adjustments_asset foreign key (asset) references assets (code) on update restrict on delete restrict,
  constraint adjustments_amount check (amount <> 0),
  constraint adjustments_reason_length check (length(reason) between 1 and 1000),
  constraint adjustments_requested_by_length check (length(requested_by) between 1 and 255),
  constraint adjustments_status check (
    status in ('PENDING_APPROVAL', 'COMPLETED', 'REJECTED', 'EXPIRED', 'CANCELLED', 'FAILED')),
  constraint adjustments_completed check ((posting_id is not null) = (status = 'COMPLETED')),
  constraint adjustments_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint adjustments_version check (version >= 1)
);

create index adjustments_by_account on adjustments (account_id, created_at, adjustment_id);
create index adjustments_created on adjustments (created_at, adjustment_id);

create trigger adjustments_touch before update on adjustments for each row execute function touch_row();
create trigger adjustments_no_delete before delete on adjustments for each row execute function refuse_change();
create trigger adjustments_recorded after insert or update on adjustments
  for each row execute function record_step('ADJUSTMENT', 'adjustment_id', 'status');

create or replace function health_check() returns json
  language sql stable set search_path from current as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'accounts', (select count(*) from accounts),
    'holdings', (select count(*) from holdings),
    'estimated_ledger_entries',
      (select greatest(reltuples, 0)::bigint from pg_class where oid = 'ledger_entries'::regclass));
$$;

select capture('accounts', 'account_id', '{client_id, parent_account_id}');
select capture('account_links', 'link_id', '{custody_account_id, venue_account_id}');
select capture('holdings', 'holding_id', '{account_id, asset}');
select capture('adjustments', 'adjustment_id', '{account_id}');
