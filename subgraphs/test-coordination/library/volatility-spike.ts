import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** Prices jump ten times as far as they usually do, for two hours (domain.md §7.5). */
export const volatilitySpike: Template = {
  templateId: 'volatility-spike',
  name: 'Volatility times ten',
  description: 'Prices jump within 20 % of the true ones, once a second, for 2 hours.',
  type: 'combined',
  category: 'market',
  tags: ['market', 'volatility'],
  expectedOutcomes: ['Risk raises an alert within 2 minutes.', 'The strategy is halted within 2 minutes.'],
  parameters: {
    symbol: { type: 'symbol', default: 'XBTC-USD', description: 'The instrument whose price jumps.' },
    deviation: { type: 'decimal', default: '0.2', min: '0.01', max: '0.25', description: 'How far it jumps, a share.' },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: '{{symbol}}', price: '50000' }],
      position: { symbol: '{{symbol}}', quantity: '0.3' },
      limits: [{ type: 'DRAWDOWN', threshold: '0.03' }],
      engine: { haltsOnAlert: true },
    },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 1_800,
        actions: [
          {
            action: 'start_market_scenario',
            type: 'VOLATILITY_SPIKE',
            symbols: ['{{symbol}}'],
            deviation: '{{deviation}}',
            isGradual: false,
            durationSeconds: 7_200,
          },
        ],
        assertions: [
          {
            name: 'risk_alert',
            metric: 'drawdown',
            withinSeconds: 120,
            detection: { name: 'volatility alert', trigger: 'prices jump', auditEvent: 'drawdown_limit_breach' },
          },
          {
            name: 'trading_adaptation',
            withinSeconds: 120,
            detection: { name: 'strategy halt', trigger: 'prices jump', auditEvent: 'strategy_halted' },
          },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 5_400,
        assertions: [{ name: 'response_time', service: 'market-data', max: 5_000 }],
      },
      RECOVERY,
    ],
  },
};
