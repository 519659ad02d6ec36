/** What a scenario may say: its bench, its phases, what they do and what they assert. */
import { z } from 'zod';
import { FAULT_KINDS, STRUCK_DOMAINS } from '../../../platform/chaos/kinds.ts';
import { DOMAINS, type Domain } from '../../../platform/domains.ts';

export const LIMIT_TYPES = [
  'POSITION_SIZE',
  'NOTIONAL',
  'TOTAL_EXPOSURE',
  'DAILY_LOSS',
  'DRAWDOWN',
  'LEVERAGE',
] as const;

const PHASES_LIMIT = 20;
const STEPS_LIMIT = 50;
const LONGEST_SECONDS = 30 * 86_400; // a month

const amount = z.string().regex(/^\d{1,16}(\.\d{1,8})?$/, 'must be an exact decimal as text, such as "1000.5"');
const positive = amount.refine((text) => /[1-9]/.test(text), 'must be above zero');
const signed = z.string().regex(/^-?0?\.?\d{1,16}(\.\d{1,8})?$/, 'must be an exact decimal as text, such as "-0.15"');
const symbol = z.string().regex(/^[A-Z0-9]{2,12}-[A-Z0-9]{2,12}$/, 'must be a symbol such as "BTC-USD"');
const seconds = z.number().min(0).max(LONGEST_SECONDS);
const name = z.string().min(1).max(100);

const common = {
  /** Waited for before it is done. */
  delaySeconds: seconds.default(0),
  /** Whether the phase goes on when it cannot be done. */
  continueOnFailure: z.boolean().default(false),
};

const action = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('start_market_scenario'),
    type: z.enum(['CRASH', 'MARKET_CRASH', 'PRICE_SHOCK', 'STABLECOIN_DEPEG', 'VOLATILITY_SPIKE', 'CORRELATION_BREAK']),
    symbols: z.array(symbol).min(1).max(50),
    deviation: signed,
    isGradual: z.boolean().default(true),
    durationSeconds: seconds.min(60),
    ...common,
  }),
  z.strictObject({ action: z.literal('stop_market_scenario'), ...common }),
  z.strictObject({
    action: z.literal('inject_fault'),
    service: z.enum(STRUCK_DOMAINS),
    kind: z.enum(FAULT_KINDS),
    parameters: z.record(z.string(), z.unknown()).default({}),
    ...common,
  }),
  z.strictObject({ action: z.literal('clear_faults'), service: z.enum(STRUCK_DOMAINS), ...common }),
  z.strictObject({
    action: z.literal('place_orders'),
    symbol,
    side: z.enum(['BUY', 'SELL']),
    quantity: positive,
    count: z.number().int().min(1).max(1_000),
    /** Pause between two orders. */
    everySeconds: seconds.default(0),
    /** Whether orders that are refused are no failure of the action: they count into the error rate. */
    mayBeRefused: z.boolean().default(false),
    ...common,
  }),
  z.strictObject({ action: z.literal('settle'), ...common }),
  z.strictObject({ action: z.literal('release_limits'), ...common }),
  z.strictObject({ action: z.literal('wait'), seconds, ...common }),
]);
export type Action = z.output<typeof action>;
export type ActionName = Action['action'];

/** The nine types of domain.md §7.1, by the name of what is asserted. */
export const ASSERTION_TYPES = {
  service_health: 'service_health',
  response_time: 'response_time',
  data_consistency: 'data_consistency',
  audit_trail: 'audit_trail',
  error_rate: 'error_rate',
  throughput: 'throughput',
  latency: 'latency',
  availability: 'availability',
  recovery_time: 'recovery_time',
  risk_alert: 'data_consistency',
  trading_adaptation: 'availability',
  positions_reduced: 'data_consistency',
  strategy_active: 'availability',
  position_limits: 'data_consistency',
  price_divergence: 'data_consistency',
  arbitrage: 'throughput',
  liquidity_crisis: 'data_consistency',
  system_recovery: 'recovery_time',
  alert_resolution: 'recovery_time',
  performance_recovery: 'response_time',
  settlement_complete: 'data_consistency',
  audit_correlation: 'audit_trail',
} as const;
export type AssertionName = keyof typeof ASSERTION_TYPES;
export type AssertionType = (typeof ASSERTION_TYPES)[AssertionName];

const NEEDS_SERVICE: readonly AssertionName[] = [
  'service_health',
  'response_time',
  'performance_recovery',
  'latency',
  'availability',
];

const assertion = z
  .strictObject({
    name: z.enum(Object.keys(ASSERTION_TYPES) as [AssertionName, ...AssertionName[]]),
    service: z.enum(DOMAINS).optional(),
    /** What a domain is to say of itself, of service_health. */
    expected: z.enum(['HEALTHY', 'UNHEALTHY']).default('HEALTHY'),
    /** The most it may come to: milliseconds, a share. */
    max: z.number().min(0).optional(),
    /** The least it must come to: orders a second, a share, hundredths of a percent. */
    min: z.number().min(0).optional(),
    /** What an alert measures, such as `drawdown`. */
    metric: name.optional(),
    symbol: symbol.optional(),
    /** By when it must hold, from the last disturbance on; looked at once when left out. */
    withinSeconds: seconds.min(1).optional(),
    /** What is detected by it, where it is an expected detection, and the audit event that shows it. */
    detection: z.strictObject({ name, trigger: name, auditEvent: name.optional() }).optional(),
  })
  .superRefine((one, context) => {
    const add = (message: string) => context.addIssue({ code: 'custom', message });
    if (NEEDS_SERVICE.includes(one.name) && !one.service) add(`${one.name} names a service`);
    if (one.name === 'price_divergence' && !one.symbol) add('price_divergence names a symbol');
    if (one.detection && one.withinSeconds === undefined) add('a detection has a time within which it must be made');
  });
export type Assertion = z.output<typeof assertion>;

const phase = z.strictObject({
  name,
  durationSeconds: seconds,
  /** Whether its actions are done at once instead of one after the other. */
  isParallel: z.boolean().default(false),
  actions: z.array(action).max(STEPS_LIMIT).default([]),
  assertions: z.array(assertion).max(STEPS_LIMIT).default([]),
});
export type Phase = z.output<typeof phase>;

/** What a run has of its own: an account that trades, one that trades with it, a strategy, limits, instruments. */
const bench = z.strictObject({
  instruments: z
    .array(z.strictObject({ symbol, price: positive, isStablecoin: z.boolean().default(false) }))
    .min(1)
    .max(10),
  cash: positive.default('20000'),
  /** Bought before the first phase. */
  position: z.strictObject({ symbol, quantity: positive }).optional(),
  limits: z
    .array(z.strictObject({ type: z.enum(LIMIT_TYPES), threshold: positive }))
    .max(10)
    .default([]),
  /** Whether its trades are settled by the custodian. */
  hasCustody: z.boolean().default(false),
  engine: z
    .strictObject({
      /** On a critical alert about its account the strategy is paused and its positions are reduced. */
      haltsOnAlert: z.boolean().default(false),
      /** Trades when published price and exchange differ by so many hundredths of a percent. */
      arbitrageMinimumBps: z.number().min(1).max(10_000).optional(),
      /** Raises an alert when a price leaves its par by this share. */
      watchesPeg: z.strictObject({ symbol, par: positive, tolerance: z.number().min(0.0001).max(1) }).optional(),
      /** Raises an alert when a trade is not settled so many seconds after it. */
      settlementDueSeconds: seconds.optional(),
    })
    .prefault({}),
});
export type Bench = z.output<typeof bench>;

export const definition = z
  .strictObject({
    bench: bench.optional(),
    phases: z.array(phase).min(1).max(PHASES_LIMIT),
    rollbackOnFailure: z.boolean().default(true),
    /** After how long a run is ended. */
    timeoutSeconds: seconds.min(1).optional(),
    /** Domains that no other run may disturb meanwhile, beside those that the actions disturb. */
    targets: z.array(z.enum(DOMAINS)).max(DOMAINS.length).default([]),
  })
  .superRefine((whole, context) => {
    const known = new Set(whole.bench?.instruments.map((instrument) => instrument.symbol) ?? []);
    const look = (at: string | undefined, path: (string | number)[]) => {
      if (at === undefined || known.has(at)) return;
      context.addIssue({ code: 'custom', path, message: `${at} is none of the bench's instruments` });
    };
    const { bench: own } = whole;
    look(own?.position?.symbol, ['bench', 'position', 'symbol']);
    look(own?.engine.watchesPeg?.symbol, ['bench', 'engine', 'watchesPeg', 'symbol']);
    for (const [i, { actions, assertions }] of whole.phases.entries()) {
      for (const [k, one] of actions.entries()) {
        const path = ['phases', i, 'actions', k];
        if (one.action === 'place_orders') look(one.symbol, path);
        if (one.action === 'start_market_scenario') for (const each of one.symbols) look(each, path);
      }
      for (const [k, one] of assertions.entries()) look(one.symbol, ['phases', i, 'assertions', k]);
    }
    const names = whole.phases.map((one) => one.name);
    if (new Set(names).size < names.length) {
      context.addIssue({ code: 'custom', path: ['phases'], message: 'each phase has a name of its own' });
    }
  });
export type Definition = z.output<typeof definition>;

/** The definition that a configuration is, or all that is wrong with it, a sentence each. */
export function readDefinition(configuration: unknown): { definition: Definition } | { problems: string[] } {
  const parsed = definition.safeParse(configuration);
  if (parsed.success) return { definition: parsed.data };
  return {
    problems: parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'configuration' : path.join('.')}: ${message}`,
    ),
  };
}

/** The domains that a definition disturbs. */
export function targetsOf({ phases, targets }: Definition): Domain[] {
  const disturbed = phases.flatMap(({ actions }) =>
    actions.flatMap((one): Domain[] => {
      if (one.action === 'inject_fault') return [one.service];
      return one.action === 'start_market_scenario' ? ['market-data'] : [];
    }),
  );
  return [...new Set([...targets, ...disturbed])].sort();
}

/** What runs lock: the domains that they disturb, and the instruments that they trade, whose books they must not share. */
export function locksOf(whole: Definition): string[] {
  const instruments = whole.bench?.instruments.map((instrument) => `instrument:${instrument.symbol}`) ?? [];
  return [...new Set([...targetsOf(whole), ...instruments])].sort();
}

/** The domains that a definition disturbs or looks at. */
export function servicesOf(whole: Definition): Domain[] {
  const looked = whole.phases.flatMap(({ assertions }) =>
    assertions.flatMap(({ service }) => (service ? [service] : [])),
  );
  const used: Domain[] = whole.bench ? ['market-data', 'exchange', 'trading', 'risk'] : [];
  if (whole.bench?.hasCustody) used.push('custodian');
  return [...new Set([...targetsOf(whole), ...looked, ...used])].sort();
}
