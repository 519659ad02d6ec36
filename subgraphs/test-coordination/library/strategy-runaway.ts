import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** A strategy that places order after order (domain.md §7.5). */
export const strategyRunaway: Template = {
  templateId: 'strategy-runaway',
  name: 'Strategy runaway',
  description:
    'A strategy buys without end for 10 minutes: risk must see the exposure, and the strategy must be halted.',
  type: 'resource_exhaustion',
  category: 'trading',
  tags: ['trading', 'runaway', 'limits'],
  expectedOutcomes: [
    'Risk raises a breach of the exposure within 2 minutes.',
    'The strategy is halted within 30 seconds.',
  ],
  parameters: {
    orders: { type: 'integer', default: 20, min: '10', max: '1000', description: 'Orders that it places.' },
    exposureLimit: {
      type: 'decimal',
      default: '5000',
      min: '1',
      description: 'Exposure that breaks the limit, in US dollars.',
    },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: 'XBNB-USD', price: '50000' }],
      cash: '100000',
      limits: [{ type: 'TOTAL_EXPOSURE', threshold: '{{exposureLimit}}' }],
      engine: { haltsOnAlert: true },
    },
    targets: ['trading'],
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 300,
        actions: [
          {
            action: 'place_orders',
            symbol: 'XBNB-USD',
            side: 'BUY',
            quantity: '0.02',
            count: '{{orders}}',
            everySeconds: 10,
            mayBeRefused: true,
          },
        ],
        assertions: [
          {
            name: 'risk_alert',
            metric: 'total_exposure',
            withinSeconds: 120,
            detection: {
              name: 'exposure breach',
              trigger: 'the strategy buys without end',
              auditEvent: 'risk_alert_generated',
            },
          },
          {
            name: 'trading_adaptation',
            withinSeconds: 120,
            detection: {
              name: 'strategy halt',
              trigger: 'the strategy buys without end',
              auditEvent: 'strategy_halted',
            },
          },
          { name: 'position_limits', withinSeconds: 300 },
        ],
      },
      { name: 'peak stress', durationSeconds: 180, assertions: [{ name: 'positions_reduced', withinSeconds: 300 }] },
      RECOVERY,
    ],
  },
};
