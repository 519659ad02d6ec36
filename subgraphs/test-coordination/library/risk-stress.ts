import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** Risk is slow while prices are shocked (domain.md §7.5). */
export const riskStress: Template = {
  templateId: 'risk-stress',
  name: 'Risk under stress',
  description: 'For 20 minutes risk answers late while a price is shocked and orders keep coming.',
  type: 'network_latency',
  category: 'risk',
  tags: ['risk', 'latency', 'shock'],
  expectedOutcomes: [
    'Risk raises an alert within 2 minutes.',
    'The strategy is halted within 30 seconds of the shock.',
  ],
  parameters: {
    delayMs: {
      type: 'integer',
      default: 100,
      min: '1',
      max: '4000',
      description: 'How late risk answers, in milliseconds.',
    },
    deviation: {
      type: 'decimal',
      default: '-0.12',
      min: '-0.25',
      max: '-0.02',
      description: 'How far the price jumps, a share.',
    },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: 'XETH-USD', price: '3000' }],
      position: { symbol: 'XETH-USD', quantity: '5' },
      limits: [{ type: 'DRAWDOWN', threshold: '0.05' }],
      engine: { haltsOnAlert: true },
    },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 600,
        actions: [
          { action: 'inject_fault', service: 'risk', kind: 'LATENCY', parameters: { delayMs: '{{delayMs}}' } },
          { action: 'place_orders', symbol: 'XETH-USD', side: 'BUY', quantity: '0.1', count: 3, mayBeRefused: true },
          {
            action: 'start_market_scenario',
            type: 'PRICE_SHOCK',
            symbols: ['XETH-USD'],
            deviation: '{{deviation}}',
            isGradual: false,
            durationSeconds: 1_200,
          },
        ],
        assertions: [
          {
            name: 'risk_alert',
            metric: 'drawdown',
            withinSeconds: 120,
            detection: {
              name: 'risk alert after injected chaos',
              trigger: 'chaos is injected',
              auditEvent: 'drawdown_limit_breach',
            },
          },
          {
            name: 'trading_adaptation',
            withinSeconds: 30,
            detection: {
              name: 'strategy halt after price shock',
              trigger: 'a price is shocked',
              auditEvent: 'strategy_halted',
            },
          },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 480,
        actions: [{ action: 'clear_faults', service: 'risk' }],
        assertions: [
          { name: 'recovery_time', service: 'risk', max: 60_000, withinSeconds: 120 },
          { name: 'performance_recovery', service: 'risk', max: 5_000, withinSeconds: 120 },
        ],
      },
      RECOVERY,
    ],
  },
};
