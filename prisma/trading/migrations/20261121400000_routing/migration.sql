-- Orders that the graph carries out by itself: what its router has to do for them, and executions that it could not
-- bring into the books.

-- Orders -------------------------------------------------------------------------------------------------------------

alter table orders
  add column execution           text not null default 'manual',
  add column cancel_requested_at timestamptz,
  add column last_error          text,
  add constraint orders_execution check (execution in ('routed', 'manual')),
  -- The exchange of the graph is the only venue that the router knows, and takes no other types.
  add constraint orders_routed check (
    execution = 'manual' or execution_venue = 'exchange'
      and order_type in ('market', 'limit', 'stop') and time_in_force in ('gtc', 'ioc', 'fok')),
  add constraint orders_cancel_requested check (cancel_requested_at is null or execution = 'routed');

alter table orders_archive add column execution text not null default 'manual';
select refresh_archive('orders');

-- Routes -------------------------------------------------------------------------------------------------------------

-- What is to be done for a routed order. It refers to the order by its id alone, which may be archived before its route is
-- forgotten. Who claims one moves due_at behind the time that he may take for it: when he
-- dies, another one takes it up then.
create table order_routes (
  order_id      text        not null,
  -- When something is to be done; null while there is nothing.
  due_at        timestamptz,
  -- Claims since something was last brought to its end.
  attempts      integer     not null default 0,
  -- The exchange is not to take the order later; null where it may at any time.
  send_before   timestamptz,
  -- When it was first claimed. Until then nobody but trading knows the order.
  sent_at       timestamptz,
  -- The exchange takes it from no attempt to send it later than this.
  send_until    timestamptz,
  cancel_reason text,
  -- When its end was recorded.
  ended_at      timestamptz,

  constraint order_routes_pkey primary key (order_id),
  constraint order_routes_attempts check (attempts >= 0),
  constraint order_routes_sent check ((sent_at is null) = (send_until is null)),
  constraint order_routes_reason_length check (length(cancel_reason) between 1 and 2000)
);

create index order_routes_due on order_routes (due_at) where due_at is not null;
create index order_routes_live on order_routes (order_id) where ended_at is null;
create index order_routes_ended on order_routes (ended_at) where ended_at is not null;

-- Quarantined fills --------------------------------------------------------------------------------------------------

-- An execution that an order could not take. It keeps all that the exchange said of it, also when the order is archived.
create table quarantined_fills (
  quarantined_fill_id uuid          not null default gen_random_uuid(),
  order_id            text          not null,
  strategy_id         text          not null,
  -- As executed, whatever the order says.
  account_id          uuid          not null,
  instrument_id       text          not null,
  side                text          not null,
  quantity            numeric(20,8) not null,
  price               numeric(20,8) not null,
  commission          numeric(20,8) not null,
  execution_venue     text          not null,
  exchange_trade_id   text          not null,
  exchange_order_id   text          not null,
  liquidity           text,
  executed_at         timestamptz   not null,
  reason              text          not null,
  message             text          not null,
  status              text          not null default 'open',
  resolution_note     text,
  resolved_at         timestamptz,
  trace_id            char(32),
  created_at          timestamptz   not null default clock_timestamp(),
  updated_at          timestamptz   not null default clock_timestamp(),
  version             integer       not null default 1,

  constraint quarantined_fills_pkey primary key (quarantined_fill_id),
  constraint quarantined_fills_exchange_trade_key unique (exchange_trade_id, execution_venue),
  constraint quarantined_fills_side check (side in ('buy', 'sell')),
  constraint quarantined_fills_amounts check (quantity > 0 and price > 0 and commission >= 0),
  constraint quarantined_fills_liquidity check (liquidity in ('maker', 'taker')),
  constraint quarantined_fills_reason check (reason in ('order_ended', 'overfill', 'foreign', 'unrecordable')),
  constraint quarantined_fills_status check (status in ('open', 'accepted', 'dismissed')),
  constraint quarantined_fills_resolved check ((resolved_at is not null) = (status <> 'open')),
  constraint quarantined_fills_note check (status <> 'dismissed' or resolution_note is not null),
  constraint quarantined_fills_note_length check (length(resolution_note) between 1 and 2000),
  constraint quarantined_fills_trace check (trace_id ~ '^[0-9a-f]{32}$'),
  constraint quarantined_fills_version check (version >= 1)
);

create index quarantined_fills_created on quarantined_fills (created_at, quarantined_fill_id);
create index quarantined_fills_by_order on quarantined_fills (order_id);
create index quarantined_fills_by_account on quarantined_fills (account_id, created_at, quarantined_fill_id);
create index quarantined_fills_by_strategy on quarantined_fills (strategy_id, created_at, quarantined_fill_id);
create index quarantined_fills_open on quarantined_fills (created_at, quarantined_fill_id) where status = 'open';

create trigger quarantined_fills_touch before update on quarantined_fills for each row execute function touch_row();
create trigger quarantined_fills_no_delete before delete on quarantined_fills for each row execute function refuse_change();

select capture('quarantined_fills', 'quarantined_fill_id', '{account_id, strategy_id}');
