import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** The custodian answers nothing for four hours while trading goes on (domain.md §7.5). */
export const custodianOffline: Template = {
  templateId: 'custodian-offline',
  name: 'Custodian offline',
  description: 'The custodian answers nothing for 4 hours: trading goes on, and what was traded is settled afterwards.',
  type: 'network_partition',
  category: 'operational',
  tags: ['custodian', 'downtime', 'settlement'],
  expectedOutcomes: [
    'Trading goes on.',
    'An alert says within 5 minutes that settlements are overdue.',
    'Everything is settled once the custodian is back.',
  ],
  parameters: {
    orders: { type: 'integer', default: 2, min: '1', max: '100', description: 'Orders that are traded meanwhile.' },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: 'XSOL-USD', price: '50000' }],
      cash: '50000',
      hasCustody: true,
      engine: { settlementDueSeconds: 240 },
    },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 10_800,
        actions: [
          { action: 'inject_fault', service: 'custodian', kind: 'DOWNTIME' },
          { action: 'place_orders', symbol: 'XSOL-USD', side: 'BUY', quantity: '0.01', count: '{{orders}}' },
        ],
        assertions: [
          { name: 'service_health', service: 'custodian', expected: 'UNHEALTHY', withinSeconds: 300 },
          { name: 'service_health', service: 'trading' },
          { name: 'throughput', min: 0 },
          { name: 'error_rate', max: 0 },
          {
            name: 'liquidity_crisis',
            withinSeconds: 300,
            detection: { name: 'liquidity alert', trigger: 'settlements are late', auditEvent: 'liquidity_risk_alert' },
          },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 3_600,
        actions: [{ action: 'clear_faults', service: 'custodian' }],
        assertions: [{ name: 'recovery_time', service: 'custodian', max: 60_000, withinSeconds: 300 }],
      },
      {
        ...RECOVERY,
        actions: [...RECOVERY.actions, { action: 'settle' }],
        assertions: [{ name: 'settlement_complete', withinSeconds: 600 }, ...RECOVERY.assertions],
      },
    ],
  },
};
