-- A change of a row that no index holds stays in its page and touches no index. An index on updated_at takes that from every
-- change: so what has ended is found by when it was created, and who sorts managed trades by when they were changed sorts them.
drop index orders_ended;
create index orders_ended on orders (created_at, order_id) where status in ('filled', 'cancelled', 'rejected', 'expired');
drop index managed_trades_updated;

-- Room for the next state of what is changed by every fill.
alter table orders set (fillfactor = 80);
alter table strategies set (fillfactor = 80);
alter table managed_trades set (fillfactor = 80);
