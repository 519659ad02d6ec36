import type { Template } from '../rules/templates.ts';
import { BASELINE, RECOVERY } from './common.ts';

/** Prices fall by 15 % within half an hour (domain.md §7.5). */
export const marketCrash: Template = {
  templateId: 'market-crash',
  name: 'Market crash',
  description:
    'Prices fall by 15 % within 30 minutes: risk must see the drawdown, and trading must reduce what it holds.',
  type: 'combined',
  category: 'market',
  tags: ['market', 'crash', 'drawdown'],
  expectedOutcomes: [
    'Risk raises a drawdown breach within 2 minutes.',
    'The strategy is halted within 2 minutes.',
    'Positions are reduced within 5 minutes.',
  ],
  parameters: {
    symbol: { type: 'symbol', default: 'XBTC-USD', description: 'The instrument whose price falls.' },
    price: {
      type: 'decimal',
      default: '50000',
      min: '0.00000001',
      description: 'Its price, where nobody else has priced it.',
    },
    quantity: { type: 'decimal', default: '0.3', min: '0.00000001', description: 'How much of it is held.' },
    deviation: {
      type: 'decimal',
      default: '-0.15',
      min: '-0.25',
      max: '-0.01',
      description: 'How far it falls, a share.',
    },
  },
  configuration: {
    bench: {
      instruments: [{ symbol: '{{symbol}}', price: '{{price}}' }],
      cash: '20000',
      position: { symbol: '{{symbol}}', quantity: '{{quantity}}' },
      limits: [{ type: 'DRAWDOWN', threshold: '0.05' }],
      engine: { haltsOnAlert: true },
    },
    phases: [
      BASELINE,
      {
        name: 'chaos injection',
        durationSeconds: 600,
        actions: [
          {
            action: 'start_market_scenario',
            type: 'MARKET_CRASH',
            symbols: ['{{symbol}}'],
            deviation: '{{deviation}}',
            durationSeconds: 1_800,
          },
        ],
        assertions: [
          {
            name: 'risk_alert',
            metric: 'drawdown',
            withinSeconds: 120,
            detection: { name: 'drawdown breach', trigger: 'prices fall', auditEvent: 'drawdown_limit_breach' },
          },
          {
            name: 'trading_adaptation',
            withinSeconds: 120,
            detection: { name: 'strategy halt', trigger: 'prices fall', auditEvent: 'strategy_halted' },
          },
        ],
      },
      {
        name: 'peak stress',
        durationSeconds: 600,
        assertions: [
          {
            name: 'positions_reduced',
            withinSeconds: 300,
            detection: { name: 'emergency reduction', trigger: 'prices fall' },
          },
          { name: 'response_time', service: 'risk', max: 5_000 },
        ],
      },
      RECOVERY,
    ],
  },
};
