import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** A service starts anew while orders are traded (domain.md §7.5). */
export const serviceRestart: Template = {
  templateId: 'service-restart',
  name: 'Service restart during trading',
  description: 'The exchange starts anew while orders are traded: it comes back, nothing is lost, the trail is whole.',
  type: 'service_restart',
  category: 'operational',
  tags: ['restart', 'exchange', 'recovery'],
  expectedOutcomes: ['The exchange is well again within a minute.', 'No order and no execution is lost.'],
  parameters: {
    orders: {
      type: 'integer',
      default: 4,
      min: '1',
      max: '500',
      description: 'Orders that are traded before and after.',
    },
  },
  configuration: {
    bench: { instruments: [{ symbol: 'XLTC-USD', price: '50000' }], cash: '50000' },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 120,
        isParallel: true,
        actions: [
          {
            action: 'place_orders',
            symbol: 'XLTC-USD',
            side: 'BUY',
            quantity: '0.01',
            count: '{{orders}}',
            everySeconds: 2,
            mayBeRefused: true,
          },
          { action: 'inject_fault', service: 'exchange', kind: 'RESTART', delaySeconds: 1 },
        ],
        assertions: [
          {
            name: 'service_health',
            service: 'exchange',
            withinSeconds: 60,
            detection: { name: 'recovery of the exchange', trigger: 'the exchange starts anew' },
          },
          { name: 'recovery_time', service: 'exchange', max: 60_000, withinSeconds: 60 },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 60,
        actions: [{ action: 'place_orders', symbol: 'XLTC-USD', side: 'SELL', quantity: '0.01', count: 1 }],
        assertions: [{ name: 'data_consistency', withinSeconds: 60 }],
      },
      RECOVERY,
    ],
  },
};
