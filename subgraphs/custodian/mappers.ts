/** Ties GraphQL types to what resolvers hand on: rows, references, ids. Paths are relative to generated/. */
export const mappers = {
  CustodyAccountChange: '../topics.ts#CustodyAccountEvent',

  Client: '../references.ts#ClientReference',
  ExchangeAccount: '../references.ts#ExchangeAccountReference',
  Portfolio: '../references.ts#PortfolioReference',
  Asset: '../references.ts#AssetReference',

  CustodyAccount: '../accounts.ts#CustodyAccountRow',
  AccountLink: '../accounts.ts#AccountLinkRow',
  CustodyPosition: '../holdings.ts#HoldingRow',
  CustodyBalance: '../holdings.ts#HoldingRow',
  CustodyHolding: '../holdings.ts#HoldingRow',
  CustodyLedgerEntry: '../ledger.ts#LedgerEntryRow',
  CustodyAuditEntry: '../ledger.ts#AuditEntryRow',
  MasterBalance: '../client-totals.ts#ClientTotals',
  MasterBalanceAsset: '../client-totals.ts#AssetTotal',

  CustodyAccountConnection: '../accounts.ts#CustodyAccountPage',
  CustodyPositionConnection: '../holdings.ts#HoldingPage',
  CustodyBalanceConnection: '../holdings.ts#HoldingPage',
  CustodyLedgerEntryConnection: '../ledger.ts#LedgerEntryPage',
  CustodyAuditEntryConnection: '../ledger.ts#AuditEntryPage',

  BusinessDay: '../calendar/calendars.ts#BusinessDayRow',
  SetBusinessDayPayload: '../calendar/calendars.ts#BusinessDayPayload',

  OpenCustodyAccountPayload: '../account-commands.ts#AccountPayload',
  FreezeAccountPayload: '../account-commands.ts#AccountPayload',
  UnfreezeAccountPayload: '../account-commands.ts#AccountPayload',
  CloseCustodyAccountPayload: '../account-commands.ts#AccountPayload',
  LinkVenueAccountPayload: '../account-commands.ts#LinkPayload',
  UnlinkVenueAccountPayload: '../account-commands.ts#LinkPayload',
  DepositCustodyAssetPayload: '../movements.ts#MovementPayload',
  WithdrawCustodyAssetPayload: '../movements.ts#MovementPayload',
  LockCustodyAssetPayload: '../movements.ts#MovementPayload',
  ReleaseCustodyAssetPayload: '../movements.ts#MovementPayload',
};
