-- Why a settlement that is due has not been settled yet, as the queue found it last.
alter table settlements add column wait_reason text;
alter table settlements add constraint settlements_wait_reason_length check (length(wait_reason) <= 2000);
