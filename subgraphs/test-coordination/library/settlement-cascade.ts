import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** Settlements are late, and some fail, until nobody has liquidity (domain.md §7.5). */
export const settlementCascade: Template = {
  templateId: 'settlement-cascade',
  name: 'Settlement cascade',
  description: 'For 6 hours settlements wait and some of them fail: overdue ones must be seen, and settled in the end.',
  type: 'combined',
  category: 'settlement',
  tags: ['settlement', 'custodian', 'liquidity'],
  expectedOutcomes: [
    'An alert says within 5 minutes that settlements are overdue.',
    'Everything is settled in the end.',
  ],
  parameters: {
    delaySeconds: {
      type: 'integer',
      default: 21_600,
      min: '60',
      max: '604800',
      description: 'How long settlements wait.',
    },
    failing: { type: 'decimal', default: '0.5', min: '0', max: '1', description: 'Share of settlements that fail.' },
    orders: { type: 'integer', default: 3, min: '1', max: '100', description: 'Orders that are traded.' },
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
        durationSeconds: 7_200,
        actions: [
          {
            action: 'inject_fault',
            service: 'custodian',
            kind: 'SETTLEMENT_DELAY',
            parameters: { delaySeconds: '{{delaySeconds}}' },
          },
          {
            action: 'inject_fault',
            service: 'custodian',
            kind: 'SETTLEMENT_FAILURE',
            parameters: { share: '{{failing}}' },
          },
          { action: 'place_orders', symbol: 'XSOL-USD', side: 'BUY', quantity: '0.01', count: '{{orders}}' },
        ],
        assertions: [
          {
            name: 'liquidity_crisis',
            withinSeconds: 300,
            detection: { name: 'liquidity alert', trigger: 'settlements are late', auditEvent: 'liquidity_risk_alert' },
          },
          { name: 'availability', service: 'custodian', min: 0.5 },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 10_800,
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
