/** What the shipped scenarios have in common. */

/** Before anything happens everything is well. */
export const BASELINE = {
  name: 'baseline',
  durationSeconds: 120,
  assertions: [
    { name: 'service_health', service: 'market-data' },
    { name: 'service_health', service: 'trading' },
    { name: 'service_health', service: 'risk' },
    { name: 'strategy_active' },
    { name: 'data_consistency' },
  ],
};

/** Afterwards everything is well again, the books agree, and what happened is on record. */
export const RECOVERY = {
  name: 'recovery',
  durationSeconds: 300,
  actions: [{ action: 'stop_market_scenario' }, { action: 'release_limits' }],
  assertions: [
    { name: 'system_recovery', withinSeconds: 300 },
    { name: 'alert_resolution', withinSeconds: 300 },
    { name: 'data_consistency', withinSeconds: 60 },
    { name: 'audit_trail', withinSeconds: 60 },
    { name: 'audit_correlation', withinSeconds: 60 },
  ],
};
