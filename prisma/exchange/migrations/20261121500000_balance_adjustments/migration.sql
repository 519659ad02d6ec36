-- A balance may be set by hand; its ledger entries say so.
alter table ledger_entries
  drop constraint ledger_entries_kind,
  add constraint ledger_entries_kind
    check (kind in ('DEPOSIT', 'WITHDRAWAL', 'LOCK', 'UNLOCK', 'FILL', 'FEE', 'ADJUSTMENT'));
