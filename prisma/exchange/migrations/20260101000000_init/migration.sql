-- The exchange: accounts, their balances and the ledger behind them, orders, and the trades that match them.
-- Names are unqualified on purpose: the connection's search_path decides the schema. Amounts of one order, trade or
-- posting are numeric(24,8); balances add many of them up and are numeric(38,8).

-- Maintains updated_at and version, whoever writes the row. A transaction may have begun before the row it waited for
-- was written, so its own now() could lie before created_at; the clock does not.
create function touch_row() returns trigger
  language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := greatest(clock_timestamp(), old.updated_at);
  return new;
end $$;

create function refuse_change() returns trigger
  language plpgsql as $$
begin
  raise exception 'rows of table % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
end $$;

-- Accounts -----------------------------------------------------------------------------------------------------------

-- Two accounts are the exchange's own: HOUSE takes the fees, EXTERNAL stands in the ledger for the world outside.
create table accounts (
  account_id        uuid        not null default gen_random_uuid(),
  user_id           text        not null,
  account_type      text        not null,
  parent_account_id uuid,
  sub_account_name  text        not null default '',
  status            text        not null default 'ACTIVE',
  kyc_status        text        not null default 'PENDING',
  metadata          jsonb       not null default '{}',
  trace_id          char(32),
  created_at        timestamptz not null default clock_timestamp(),
  updated_at        timestamptz not null default clock_timestamp(),
  version           integer     not null default 1,

  constraint accounts_pkey primary key (account_id),
  -- What a sub-account refers to: it has its parent's client and type.
  constraint accounts_family_key unique (account_id, user_id, account_type),
  constraint accounts_parent foreign key (parent_account_id, user_id, account_type)
    references accounts (account_id, user_id, account_type) on update restrict on delete restrict,
  constraint accounts_name_key unique (user_id, account_type, sub_account_name),
  constraint accounts_user_length check (length(user_id) between 1 and 255),
  constraint accounts_type check (account_type in ('SPOT', 'MARGIN', 'FUTURES', 'HOUSE', 'EXTERNAL')),
  constraint accounts_exchange_own check ((account_type in ('HOUSE', 'EXTERNAL')) = (user_id = 'exchange')),
  constraint accounts_sub_account check ((parent_account_id is not null) = (sub_account_name <> '')),
  constraint accounts_sub_account_name_length check (length(sub_account_name) <= 100),
  constraint accounts_status check (status in ('ACTIVE', 'SUSPENDED', 'CLOSED')),
  constraint accounts_kyc_status check (kyc_status in ('PENDING', 'APPROVED', 'REJECTED')),
  constraint accounts_metadata check (jsonb_typeof(metadata) = 'object'),
  constraint accounts_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint accounts_changed_after_created check (updated_at >= created_at),
  constraint accounts_version check (version >= 1)
);

create index accounts_created on accounts (created_at, account_id);
create index accounts_by_user on accounts (user_id, created_at, account_id);
create index accounts_by_parent on accounts (parent_account_id, sub_account_name) where parent_account_id is not null;
create index accounts_by_status on accounts (status, created_at, account_id);
create index accounts_by_kyc_status on accounts (kyc_status, created_at, account_id);

create trigger accounts_touch before update on accounts for each row execute function touch_row();
create trigger accounts_no_delete before delete on accounts for each row execute function refuse_change();

insert into accounts (account_id, user_id, account_type, kyc_status) values
  ('ffffffff-ffff-4fff-bfff-ffffffffff01', 'exchange', 'HOUSE', 'APPROVED'),
  ('ffffffff-ffff-4fff-bfff-ffffffffff02', 'exchange', 'EXTERNAL', 'APPROVED');

-- Balances -----------------------------------------------------------------------------------------------------------

-- What an account holds of one asset; `symbol` is the asset's code. EXTERNAL has none: its side is in the ledger only.
create table balances (
  balance_id        uuid           not null default gen_random_uuid(),
  account_id        uuid           not null,
  symbol            text           not null,
  available_balance numeric(38,8)  not null default 0,
  locked_balance    numeric(38,8)  not null default 0,
  total_balance     numeric(38,8)  not null generated always as (available_balance + locked_balance) stored,
  trace_id          char(32),
  created_at        timestamptz    not null default clock_timestamp(),
  updated_at        timestamptz    not null default clock_timestamp(),
  version           integer        not null default 1,

  constraint balances_pkey primary key (balance_id),
  constraint balances_account_symbol_key unique (account_id, symbol),
  constraint balances_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint balances_symbol_spelling check (symbol ~ '^[A-Z0-9]{1,20}$'),
  constraint balances_available_not_negative check (available_balance >= 0),
  constraint balances_locked_not_negative check (locked_balance >= 0),
  constraint balances_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint balances_changed_after_created check (updated_at >= created_at),
  constraint balances_version check (version >= 1)
) with (fillfactor = 80); -- room for new amounts, which no index holds

create index balances_by_symbol on balances (symbol, balance_id);

create trigger balances_touch before update on balances for each row execute function touch_row();
create trigger balances_no_delete before delete on balances for each row execute function refuse_change();

-- Order books --------------------------------------------------------------------------------------------------------

-- One row a symbol. Whoever adds to, matches or cancels orders of the symbol locks it first: matching is serial a symbol.
create table order_books (
  symbol         text          not null,
  -- Numbers the symbol's orders in the order in which they were taken: time priority.
  order_sequence bigint        not null default 1,
  last_price     numeric(24,8),
  last_quantity  numeric(24,8),
  last_traded_at timestamptz,
  created_at     timestamptz   not null default clock_timestamp(),
  updated_at     timestamptz   not null default clock_timestamp(),
  version        integer       not null default 1,

  constraint order_books_pkey primary key (symbol),
  constraint order_books_symbol check (symbol ~ '^[A-Z0-9]+-[A-Z0-9]+$'),
  constraint order_books_last_trade check (
    (last_price is null) = (last_quantity is null) and (last_price is null) = (last_traded_at is null)),
  constraint order_books_last_price_positive check (last_price > 0 and last_quantity > 0),
  constraint order_books_version check (version >= 1)
) with (fillfactor = 50); -- changed by every order

create trigger order_books_touch before update on order_books for each row execute function touch_row();

-- Orders -------------------------------------------------------------------------------------------------------------

create table orders (
  order_id           uuid           not null default gen_random_uuid(),
  account_id         uuid           not null,
  client_order_id    text,
  symbol             text           not null,
  sequence           bigint         not null,
  order_type         text           not null,
  side               text           not null,
  time_in_force      text           not null default 'GTC',
  quantity           numeric(24,8)  not null,
  price              numeric(24,8),
  stop_price         numeric(24,8),
  status             text           not null default 'PENDING',
  filled_quantity    numeric(24,8)  not null default 0,
  remaining_quantity numeric(24,8)  not null generated always as (quantity - filled_quantity) stored,
  -- The exact sum of quantity × price over the order's trades; the average is this over filled_quantity, rounded once.
  filled_notional    numeric(48,16) not null default 0,
  average_price      numeric(24,8),
  -- What the order holds of its account's locked balance, and of which asset.
  reserved_asset     text           not null,
  reserved_amount    numeric(24,8)  not null default 0,
  -- The terms the order was taken on.
  maker_fee_rate     numeric(10,8)  not null,
  taker_fee_rate     numeric(10,8)  not null,
  reject_reason      text,
  expiry_reason      text,
  metadata           jsonb          not null default '{}',
  triggered_at       timestamptz,
  filled_at          timestamptz,
  cancelled_at       timestamptz,
  trace_id           char(32),
  created_at         timestamptz    not null default clock_timestamp(),
  updated_at         timestamptz    not null default clock_timestamp(),
  version            integer        not null default 1,

  constraint orders_pkey primary key (order_id),
  -- What trades refer to: a trade has its order's account, symbol and side.
  constraint orders_trade_key unique (order_id, account_id, symbol, side),
  constraint orders_client_order_key unique (account_id, client_order_id),
  constraint orders_sequence_key unique (symbol, sequence),
  constraint orders_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint orders_client_order_id_length check (length(client_order_id) between 1 and 255),
  constraint orders_symbol check (symbol ~ '^[A-Z0-9]+-[A-Z0-9]+$'),
  constraint orders_type check (order_type in ('MARKET', 'LIMIT', 'STOP')),
  constraint orders_side check (side in ('BUY', 'SELL')),
  constraint orders_time_in_force check (time_in_force in ('GTC', 'IOC', 'FOK')),
  constraint orders_status check (
    status in ('PENDING', 'OPEN', 'PARTIAL', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')),
  constraint orders_quantity_positive check (quantity > 0),
  constraint orders_price check ((price is not null) = (order_type = 'LIMIT') and price > 0),
  constraint orders_stop_price check ((stop_price is not null) = (order_type = 'STOP') and stop_price > 0),
  constraint orders_triggered check (triggered_at is null or order_type = 'STOP'),
  -- Only a limit order that is good till cancelled rests in the book.
  constraint orders_resting check (
    status not in ('OPEN', 'PARTIAL') or (order_type = 'LIMIT' and time_in_force = 'GTC')),
  constraint orders_filled_within check (filled_quantity between 0 and quantity),
  constraint orders_status_filled check (
    case
      when status in ('PENDING', 'OPEN', 'REJECTED') then filled_quantity = 0
      when status = 'PARTIAL' then filled_quantity > 0 and filled_quantity < quantity
      when status = 'FILLED' then filled_quantity = quantity
      else filled_quantity < quantity
    end),
  constraint orders_average_price check (
    case
      when filled_quantity = 0 then average_price is null and filled_notional = 0
      else average_price is not null
        and abs(average_price * filled_quantity - filled_notional) <= filled_quantity * 0.000000005
    end),
  constraint orders_within_limit check (
    price is null or average_price is null
      or case side when 'BUY' then average_price <= price else average_price >= price end),
  constraint orders_reserved_not_negative check (reserved_amount >= 0),
  constraint orders_reserved_while_live check (status in ('PENDING', 'OPEN', 'PARTIAL') or reserved_amount = 0),
  constraint orders_fee_rates check (maker_fee_rate between 0 and 1 and taker_fee_rate between 0 and 1),
  constraint orders_reject_reason check (
    (reject_reason is not null) = (status = 'REJECTED')
      and reject_reason in ('ACCOUNT_NOT_ACTIVE', 'KYC_NOT_APPROVED')),
  constraint orders_expiry_reason check (
    (expiry_reason is not null) = (status = 'EXPIRED')
      and expiry_reason in ('TIME_IN_FORCE', 'NO_LIQUIDITY', 'SELF_TRADE', 'MATCH_LIMIT')),
  constraint orders_metadata check (jsonb_typeof(metadata) = 'object'),
  constraint orders_filled_at check ((filled_at is not null) = (status = 'FILLED') and filled_at >= created_at),
  constraint orders_cancelled_at check (
    (cancelled_at is not null) = (status = 'CANCELLED') and cancelled_at >= created_at),
  constraint orders_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint orders_changed_after_created check (updated_at >= created_at),
  constraint orders_version check (version >= 1)
);

create index orders_created on orders (created_at, order_id);
create index orders_by_account on orders (account_id, created_at, order_id);
create index orders_by_symbol on orders (symbol, created_at, order_id);
create index orders_by_status on orders (status, created_at, order_id);
create index orders_live_by_account on orders (account_id, created_at, order_id)
  where status in ('PENDING', 'OPEN', 'PARTIAL');
-- The two sides of the book, best price first, then time.
create index orders_asks on orders (symbol, price, sequence)
  where side = 'SELL' and order_type = 'LIMIT' and status in ('OPEN', 'PARTIAL');
create index orders_bids on orders (symbol, price desc, sequence)
  where side = 'BUY' and order_type = 'LIMIT' and status in ('OPEN', 'PARTIAL');
create index orders_stops on orders (symbol, side, stop_price) where order_type = 'STOP' and status = 'PENDING';

create trigger orders_touch before update on orders for each row execute function touch_row();
create trigger orders_no_delete before delete on orders for each row execute function refuse_change();

-- Trades -------------------------------------------------------------------------------------------------------------

-- One side of a match. Both sides share match_id, price, quantity and instant.
create table trades (
  trade_id     uuid          not null default gen_random_uuid(),
  match_id     uuid          not null,
  order_id     uuid          not null,
  account_id   uuid          not null,
  symbol       text          not null,
  side         text          not null,
  liquidity    text          not null,
  quantity     numeric(24,8) not null,
  price        numeric(24,8) not null,
  fee          numeric(24,8) not null default 0,
  fee_currency text          not null,
  trace_id     char(32),
  executed_at  timestamptz   not null default clock_timestamp(),

  constraint trades_pkey primary key (trade_id),
  constraint trades_match_side_key unique (match_id, side),
  constraint trades_order foreign key (order_id, account_id, symbol, side)
    references orders (order_id, account_id, symbol, side) on update restrict on delete restrict,
  constraint trades_side check (side in ('BUY', 'SELL')),
  constraint trades_liquidity check (liquidity in ('MAKER', 'TAKER')),
  constraint trades_quantity_positive check (quantity > 0),
  constraint trades_price_positive check (price > 0),
  constraint trades_fee_not_negative check (fee >= 0),
  constraint trades_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index trades_executed on trades (executed_at, trade_id);
create index trades_by_order on trades (order_id, executed_at, trade_id);
create index trades_by_account on trades (account_id, executed_at, trade_id);
create index trades_by_symbol on trades (symbol, executed_at, trade_id);

-- Both sides of a match are written by one statement and agree.
create function refuse_one_sided_match() returns trigger
  language plpgsql as $$
begin
  if exists (
    select from added group by match_id
    having count(*) <> 2 or count(distinct side) <> 2 or count(distinct liquidity) <> 2
        or count(distinct (symbol, quantity, price, executed_at)) <> 1
  ) then
    raise exception 'a match needs a buyer and a seller of one symbol, quantity, price and instant, one of them the maker'
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create trigger trades_two_sided after insert on trades
  referencing new table as added for each statement execute function refuse_one_sided_match();
create trigger trades_append_only before update or delete on trades for each row execute function refuse_change();
create trigger trades_no_truncate before truncate on trades for each statement execute function refuse_change();

-- Ledger -------------------------------------------------------------------------------------------------------------

-- Double entry: the entries of a posting sum to zero in each asset. An account's available and locked balances are the
-- sums of its entries in those two buckets.
create table ledger_entries (
  entry_id   bigint        not null generated always as identity,
  posting_id uuid          not null,
  account_id uuid          not null,
  asset      text          not null,
  bucket     text          not null,
  amount     numeric(24,8) not null,
  kind       text          not null,
  ref_type   text          not null,
  ref_id     text          not null,
  trace_id   char(32),
  created_at timestamptz   not null default clock_timestamp(),

  constraint ledger_entries_pkey primary key (entry_id),
  constraint ledger_entries_account foreign key (account_id) references accounts (account_id)
    on update restrict on delete restrict,
  constraint ledger_entries_asset_spelling check (asset ~ '^[A-Z0-9]{1,20}$'),
  constraint ledger_entries_bucket check (bucket in ('AVAILABLE', 'LOCKED')),
  constraint ledger_entries_amount check (amount <> 0),
  constraint ledger_entries_kind check (kind in ('DEPOSIT', 'WITHDRAWAL', 'LOCK', 'UNLOCK', 'FILL', 'FEE')),
  constraint ledger_entries_ref_type check (ref_type in ('EXTERNAL', 'ORDER', 'TRADE')),
  constraint ledger_entries_ref_length check (length(ref_id) between 1 and 255),
  constraint ledger_entries_trace check (trace_id ~ '^[0-9a-f]{32}$')
);

create index ledger_entries_by_account on ledger_entries (account_id, created_at, entry_id);
create index ledger_entries_by_posting on ledger_entries (posting_id);

-- A posting is written by one statement, so that its balance can be seen there and then.
create function refuse_unbalanced_posting() returns trigger
  language plpgsql as $$
begin
  if exists (select from added group by posting_id, asset having sum(amount) <> 0) then
    raise exception 'the entries of a posting must sum to zero in each asset' using errcode = 'check_violation';
  end if;
  return null;
end $$;

create trigger ledger_entries_balanced after insert on ledger_entries
  referencing new table as added for each statement execute function refuse_unbalanced_posting();
create trigger ledger_entries_append_only before update or delete on ledger_entries
  for each row execute function refuse_change();
create trigger ledger_entries_no_truncate before truncate on ledger_entries
  for each statement execute function refuse_change();

-- What every domain has ----------------------------------------------------------------------------------------------

create table idempotency_keys (
  key          text        not null,
  operation    text        not null,
  request_hash text        not null,
  result       jsonb,
  created_at   timestamptz not null default now(),

  constraint idempotency_keys_pkey primary key (key)
);

create index idempotency_keys_created on idempotency_keys (created_at);

-- Cheap by construction: the counts come from small tables, partial indexes and the planner's estimates.
create function health_check() returns json
  language sql stable set search_path from current as $$
  select json_build_object(
    'schema', current_schema(),
    'status', 'healthy',
    'tables', (select count(*) from pg_class
                where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition),
    'accounts', (select count(*) from accounts),
    'order_books', (select count(*) from order_books),
    'live_orders', (select count(*) from orders where status in ('PENDING', 'OPEN', 'PARTIAL')),
    'estimated_orders', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'orders'::regclass),
    'estimated_trades', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'trades'::regclass),
    'estimated_ledger_entries',
      (select greatest(reltuples, 0)::bigint from pg_class where oid = 'ledger_entries'::regclass));
$$;
