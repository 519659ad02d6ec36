/** The operations that the specification lists, a list a repository. */
import type { Domain } from '../../platform/domains.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

export const EXPECTED: Partial<Record<Domain, Record<string, string[]>>> = {
  'market-data': {
    PriceFeed: words('create getById getLatestBySymbol getBySymbol query deleteOlderThan'),
    Candle: words('upsert getById getBySymbolAndInterval getLatest query deleteOlderThan'),
    MarketSnapshot: words('create getById getLatestBySymbol getBySymbol query deleteOlderThan'),
    Symbol: words('create getById getBySymbol query getActive update updateActiveStatus delete'),
    OrderBook: words('putSnapshot getLatest getHistory'),
    Scenario: words('create start stop getActive list'),
    Service: words(
      'GetPrice StreamPrices GenerateSimulation StreamScenario HealthCheck history correlations volumeProfile',
    ),
  },
  exchange: {
    Account: words('create getById getByUserId query update updateStatus delete'),
    Order: words('create getById query getByAccountAndSymbol getPendingByAccount updateStatus updateFilled cancel'),
    Trade: words('create getById getByOrderId getByAccount query getBySymbol'),
    Balance: words('upsert getById getByAccountAndSymbol getByAccount query updateAvailableBalance atomicUpdate'),
  },
  trading: {
    Strategies: words(
      `create get_by_id update delete query get_active_strategies update_status update_pnl increment_trade_count
       get_by_instrument`,
    ),
    Orders: words(
      `create get_by_id update delete query get_by_strategy get_active_orders update_status update_fill cancel_order
       get_by_exchange_order_id get_orders_by_instrument get_pending_orders cleanup_old_orders`,
    ),
    Trades: words(
      `create get_by_id query get_by_order get_by_strategy get_by_instrument get_daily_trades calculate_total_volume
       calculate_total_pnl get_by_exchange_trade_id cleanup_old_trades`,
    ),
    Positions: words(
      `create get_by_id update delete query get_by_strategy get_open_positions get_by_instrument update_market_data
       close_position calculate_total_exposure calculate_total_unrealized_pnl cleanup_closed_positions`,
    ),
    TradeStore: words(
      `initialize save_new_trade update_trade get_trade_by_id get_open_trades mark_trade_closed get_stats
       list_all_trades close`,
    ),
  },
  custodian: {
    Position: words('create getById getByAccountAndSymbol getByAccount query update updateAvailableQuantity delete'),
    Settlement: words('create getById getByExternalId query updateStatus complete cancel getPendingByAccount'),
    Balance: words('upsert getById getByAccountAndCurrency getByAccount query updateAvailableBalance atomicUpdate'),
    SettlementService: words('ProcessSettlementQueue ListPendingSettlements GetSettlementStatus'),
    TransferService: words('InitiateTransfer ApproveTransfer GetTransferHistory'),
    CustodyService: words('GetMasterBalance GetSegregatedBalance CreateCustodyAccount GetAuditTrail'),
    Reconciliation: words('run breaks assign resolve writeOff'),
    Compliance: words('check freezeAccount haltTransfers'),
  },
  risk: {
    Metrics: words(
      'create getById update delete query getLatestByInstrument getLatestByAccount getTimeSeries createBatch deleteOlderThan',
    ),
    Alerts: words(
      `create getById update delete query getActive getBySeverity getByInstrument getByAccount acknowledge resolve escalate
       expireOld countByStatus getHistory`,
    ),
    Limits: words(
      `create getById update delete query getByType getByInstrument getByAccount getGlobal getEnabled enable disable
       updateThreshold getEffective`,
    ),
    Snapshots: words(
      `create createBatch getById query getLatest getByAccount getByInstrument getByVenue getBySource getTimeSeries getAsOf
       deleteOlderThan`,
    ),
  },
  audit: {
    AuditEvents: words(
      `Create CreateBatch GetByID Update UpdateBatch Delete Query Count GetByTraceID GetCorrelatedEvents DeleteOlderThan
       ArchiveOlderThan`,
    ),
    Correlations: words(
      `CreateCorrelation CreateCorrelations GetCorrelationsByEvent GetCorrelationsByType FindSimilarEvents GetCorrelationChain
       DeleteCorrelationsOlderThan`,
    ),
    Analysis: words(
      'timeline scenarioValidation riskSla coverage anomalies performanceImpact auditTrail generateAuditReport verify',
    ),
  },
  'test-coordination': {
    Scenarios: words(
      `create update delete get_by_id list_all get_by_type get_by_status search_by_tag get_active_scenarios
       update_status`,
    ),
    TestRuns: words(
      `create get_by_id get_by_scenario get_by_status get_recent_runs get_runs_by_date_range update update_status
       record_completion delete calculate_pass_rate get_average_duration`,
    ),
    Results: words(
      `create bulk_create get_by_id get_by_run get_by_assertion_type get_by_status get_failed_results
       get_by_correlation_id calculate_pass_rate count_by_status get_assertion_statistics`,
    ),
    Chaos: words(
      `create update update_status record_recovery get_by_id get_by_run get_by_type get_by_service get_active_events
       calculate_average_recovery_time`,
    ),
  },
  registry: {
    ServiceDiscovery: words(
      `register deregister update_heartbeat get_service get_service_by_id list_services list_healthy_services
       cleanup_stale_services update_status list_services_by_name`,
    ),
    Cache: words(
      `get set delete exists get_json set_json get_many set_many delete_pattern keys ttl expire increment decrement
       delete_many flush`,
    ),
  },
};
