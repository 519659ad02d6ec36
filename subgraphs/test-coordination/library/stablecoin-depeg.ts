import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** A stablecoin leaves its par over a day and a half (domain.md §7.5). */
export const stablecoinDepeg: Template = {
  templateId: 'stablecoin-depeg',
  name: 'Stablecoin depeg',
  description: 'A stablecoin leaves its par over 36 hours, while the exchange still trades it at par.',
  type: 'data_corruption',
  category: 'market',
  tags: ['market', 'stablecoin', 'depeg', 'arbitrage'],
  expectedOutcomes: [
    'Risk raises an alert within 15 minutes.',
    'The opportunity between the two prices is traded within 2 hours.',
    'An alert says within 4 hours that the stablecoin does not follow its par.',
  ],
  parameters: {
    symbol: { type: 'symbol', default: 'XUSDT-USD', description: 'The stablecoin, priced in US dollars.' },
    deviation: {
      type: 'decimal',
      default: '-0.08',
      min: '-0.1',
      max: '-0.01',
      description: 'How far it falls, a share.',
    },
    lossLimit: {
      type: 'decimal',
      default: '15',
      min: '0.01',
      description: 'Loss a day that breaks the limit, in US dollars.',
    },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: '{{symbol}}', price: '1', isStablecoin: true }],
      cash: '20000',
      position: { symbol: '{{symbol}}', quantity: '10000' },
      limits: [{ type: 'DAILY_LOSS', threshold: '{{lossLimit}}' }],
      engine: {
        arbitrageMinimumBps: 10,
        watchesPeg: { symbol: '{{symbol}}', par: '1', tolerance: 0.002 },
      },
    },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 32_400,
        actions: [
          {
            action: 'start_market_scenario',
            type: 'STABLECOIN_DEPEG',
            symbols: ['{{symbol}}'],
            deviation: '{{deviation}}',
            durationSeconds: 129_600,
          },
        ],
        assertions: [
          {
            name: 'risk_alert',
            metric: 'daily_loss',
            withinSeconds: 900,
            detection: {
              name: 'depeg risk alert',
              trigger: 'the stablecoin leaves its par',
              auditEvent: 'risk_alert_generated',
            },
          },
          { name: 'price_divergence', symbol: '{{symbol}}', min: 10, withinSeconds: 3_600 },
          {
            name: 'arbitrage',
            withinSeconds: 7_200,
            detection: {
              name: 'arbitrage detection',
              trigger: 'the stablecoin leaves its par',
              auditEvent: 'order_created',
            },
          },
          {
            name: 'risk_alert',
            metric: 'correlation',
            withinSeconds: 14_400,
            detection: {
              name: 'correlation alert',
              trigger: 'the stablecoin leaves its par',
              auditEvent: 'correlation_risk_alert',
            },
          },
        ],
      },
      { name: 'peak stress', durationSeconds: 90_000, assertions: [{ name: 'service_health', service: 'exchange' }] },
      RECOVERY,
    ],
  },
};
