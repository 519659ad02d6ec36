/** What scenarios may say, how templates are filled in, and how runs move on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../../platform/chaos/kinds.ts';
import { Refusal } from '../../../platform/errors.ts';
import { templates } from '../../../subgraphs/test-coordination/library/library.ts';
import { checkInjectable, EVENT_TYPES, kindOf, typeOf } from '../../../subgraphs/test-coordination/rules/chaos.ts';
import { readDefinition, servicesOf, targetsOf } from '../../../subgraphs/test-coordination/rules/definition.ts';
import {
  EVENT_STATUSES,
  endingOf,
  exitCodeOf,
  isOver,
  moveEvent,
  moveRun,
  moveScenario,
  RUN_STATUSES,
  SCENARIO_STATUSES,
} from '../../../subgraphs/test-coordination/rules/lifecycles.ts';
import { nextRun } from '../../../subgraphs/test-coordination/rules/schedule.ts';
import { passRate } from '../../../subgraphs/test-coordination/rules/statistics.ts';
import { render, type Template } from '../../../subgraphs/test-coordination/rules/templates.ts';
import {
  deadlineMs,
  LEAST_DEADLINE_MS,
  plannedMs,
  scaledMs,
  scaledTimeoutMs,
  timeoutMs,
} from '../../../subgraphs/test-coordination/rules/timing.ts';

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return 'it was not refused';
};

const definitionOf = (configuration: object) => {
  const read = readDefinition(configuration);
  if ('problems' in read) throw new Error(read.problems.join('; '));
  return read.definition;
};

describe('a shipped template', () => {
  it.each(templates.map((template) => [template.templateId, template] as const))(
    '%s gives a configuration that keeps the rules',
    (_, template) => {
      const read = readDefinition(render(template));
      expect(read).toHaveProperty('definition');
      expect(template.expectedOutcomes.length).toBeGreaterThan(0);
    },
  );

  it('is one of the eight of the specification, each with what it expects to be detected', () => {
    const planned = Object.fromEntries(
      templates.map((template) => {
        const { phases } = definitionOf(render(template));
        const deadlines = phases.flatMap(({ assertions }) =>
          assertions.flatMap(({ detection, withinSeconds }) =>
            detection ? [`${detection.name}: ${withinSeconds}`] : [],
          ),
        );
        return [template.templateId, deadlines];
      }),
    );
    expect(planned).toEqual({
      'custodian-offline': ['liquidity alert: 300'],
      'market-crash': ['drawdown breach: 120', 'strategy halt: 120', 'emergency reduction: 300'],
      'risk-stress': ['risk alert after injected chaos: 120', 'strategy halt after price shock: 30'],
      'service-restart': ['recovery of the exchange: 60'],
      'settlement-cascade': ['liquidity alert: 300'],
      'stablecoin-depeg': ['depeg risk alert: 900', 'arbitrage detection: 7200', 'correlation alert: 14400'],
      'strategy-runaway': ['exposure breach: 120', 'strategy halt: 120'],
      'volatility-spike': ['volatility alert: 120', 'strategy halt: 120'],
    });
  });

  it('disturbs what its actions name', () => {
    const targets = (id: string) =>
      targetsOf(definitionOf(render(templates.find((one) => one.templateId === id) as Template)));
    expect(targets('risk-stress')).toEqual(['market-data', 'risk']);
    expect(targets('custodian-offline')).toEqual(['custodian']);
    expect(targets('strategy-runaway')).toEqual(['trading']);
    const crash = definitionOf(render(templates.find((one) => one.templateId === 'market-crash') as Template));
    expect(servicesOf(crash)).toEqual(['exchange', 'market-data', 'risk', 'trading']);
  });
});

const PHASE = { name: 'only', durationSeconds: 1 };

describe('a configuration', () => {
  it.each([
    [{}, 'phases'],
    [{ phases: [] }, 'phases'],
    [{ phases: [PHASE, PHASE] }, 'each phase has a name of its own'],
    [{ phases: [{ ...PHASE, durationSeconds: -1 }] }, 'phases.0.durationSeconds'],
    [{ phases: [{ ...PHASE, actions: [{ action: 'explode' }] }] }, 'phases.0.actions.0.action'],
    [{ phases: [{ ...PHASE, actions: [{ action: 'inject_fault', service: 'moon', kind: 'LATENCY' }] }] }, 'service'],
    [{ phases: [{ ...PHASE, actions: [{ action: 'wait', seconds: 1, extra: 1 }] }] }, 'extra'],
    [{ phases: [{ ...PHASE, assertions: [{ name: 'happiness' }] }] }, 'phases.0.assertions.0.name'],
    [{ phases: [{ ...PHASE, assertions: [{ name: 'service_health' }] }] }, 'service_health names a service'],
    [{ phases: [{ ...PHASE, assertions: [{ name: 'price_divergence' }] }] }, 'names a symbol'],
    [
      { phases: [{ ...PHASE, assertions: [{ name: 'risk_alert', detection: { name: 'a', trigger: 'b' } }] }] },
      'a detection has a time',
    ],
    [
      {
        bench: { instruments: [{ symbol: 'AAA-USD', price: '1' }] },
        phases: [
          { ...PHASE, actions: [{ action: 'place_orders', symbol: 'BBB-USD', side: 'BUY', quantity: '1', count: 1 }] },
        ],
      },
      'BBB-USD is none of the bench',
    ],
    [{ bench: { instruments: [{ symbol: 'AAA-USD', price: '0' }] }, phases: [PHASE] }, 'must be above zero'],
  ])('%j is refused, and it is said why', (configuration, problem) => {
    const read = readDefinition(configuration);
    expect('problems' in read ? read.problems.join('; ') : '').toContain(problem);
  });

  it('is whole with what is usual where it says nothing', () => {
    expect(definitionOf({ phases: [PHASE] })).toEqual({
      phases: [{ ...PHASE, isParallel: false, actions: [], assertions: [] }],
      rollbackOnFailure: true,
      targets: [],
    });
  });
});

const TEMPLATE: Pick<Template, 'parameters' | 'configuration'> = {
  parameters: {
    count: { type: 'integer', description: 'How many.', min: '1', max: '9' },
    share: { type: 'decimal', description: 'How much.', default: '0.5', max: '1' },
    symbol: { type: 'symbol', description: 'Which.', default: 'BTC-USD' },
    label: { type: 'string', description: 'What.', default: 'x' },
    isFast: { type: 'boolean', description: 'Whether.', default: false },
  },
  configuration: {
    whole: '{{count}}',
    text: 'n={{count}} of {{symbol}}',
    list: ['{{share}}', { deep: '{{isFast}}' }],
    rest: 7,
  },
};

describe('a template', () => {
  it('puts values in, whole ones as they are and others as text', () => {
    expect(render(TEMPLATE, { count: 3, symbol: 'eth/usd', isFast: true })).toEqual({
      whole: 3,
      text: 'n=3 of ETH-USD',
      list: ['0.5', { deep: true }],
      rest: 7,
    });
  });

  it.each([
    [{}, 'count must be given'],
    [{ count: 1, colour: 'red' }, 'There is no parameter "colour"'],
    [{ count: '1' }, 'count must be a whole number'],
    [{ count: 0 }, 'at least 1'],
    [{ count: 10 }, 'at most 9'],
    [{ count: 1, share: 0.5 }, 'share must be an exact decimal as text'],
    [{ count: 1, share: '1.1' }, 'at most 1'],
    [{ count: 1, isFast: 'yes' }, 'true or false'],
    [{ count: 1, label: '' }, 'label must be a text'],
  ])('refuses %j: %s', (given, message) => {
    expect(refusal(() => render(TEMPLATE, given))).toContain(message);
  });

  it('never leaves a place open', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.boolean(), (count, isFast) => {
        expect(JSON.stringify(render(TEMPLATE, { count, isFast }))).not.toContain('{{');
      }),
    );
  });
});

describe('lifecycles', () => {
  it('let scenarios go from draft to active, deprecated, and archived for good', () => {
    const steps = SCENARIO_STATUSES.flatMap((from) =>
      SCENARIO_STATUSES.filter((to) => refusal(() => moveScenario(from, to)) === 'it was not refused').map(
        (to) => `${from} ${to}`,
      ),
    );
    expect(steps).toEqual([
      'draft active',
      'draft archived',
      'active deprecated',
      'active archived',
      'deprecated active',
      'deprecated archived',
    ]);
  });

  it('let runs end once', () => {
    const steps = RUN_STATUSES.flatMap((from) =>
      RUN_STATUSES.filter((to) => refusal(() => moveRun(from, to)) === 'it was not refused').map(
        (to) => `${from} ${to}`,
      ),
    );
    expect(steps).toEqual([
      'pending running',
      'pending error',
      'pending cancelled',
      'running passed',
      'running failed',
      'running error',
      'running cancelled',
      'running timeout',
    ]);
    expect(RUN_STATUSES.filter(isOver)).toEqual(['passed', 'failed', 'error', 'cancelled', 'timeout']);
  });

  it('let chaos events recover or fail, and then no more', () => {
    const steps = EVENT_STATUSES.flatMap((from) =>
      EVENT_STATUSES.filter((to) => refusal(() => moveEvent(from, to)) === 'it was not refused').map(
        (to) => `${from} ${to}`,
      ),
    );
    expect(steps).toEqual([
      'pending injected',
      'pending failed',
      'injected in_progress',
      'injected recovered',
      'injected failed',
      'in_progress recovered',
      'in_progress failed',
    ]);
  });

  it('give exit code 0 to what passed, and to nothing else', () => {
    for (const status of ['passed', 'failed', 'error', 'cancelled', 'timeout'] as const) {
      expect(exitCodeOf(status) === 0).toBe(status === 'passed');
    }
    fc.assert(fc.property(fc.integer(), (code) => (endingOf(code) === 'passed') === (code === 0)));
  });
});

describe('times', () => {
  it('are divided by the scale, deadlines down to what the ecosystem needs', () => {
    const { definition } = readDefinition({ phases: [{ name: 'a', durationSeconds: 90 }, PHASE] }) as {
      definition: Parameters<typeof plannedMs>[0];
    };
    expect(plannedMs(definition)).toBe(91_000);
    expect(timeoutMs(definition)).toBe(7_200_000);
    expect(timeoutMs({ ...definition, timeoutSeconds: 5 })).toBe(5_000);
    expect(scaledMs(90, 60)).toBe(1_500);
    expect(deadlineMs(7_200, 60)).toBe(120_000);
    expect(deadlineMs(120, 1_000)).toBe(LEAST_DEADLINE_MS);
    expect(scaledTimeoutMs(7_200_000, 1_000_000)).toBe(120_000);
  });

  it.each([
    ['0 * * * *', '2026-01-01T10:00:00.000Z'],
    ['30 6 * * 1', '2026-01-05T06:30:00.000Z'],
    ['15 9 31 1 *', '2026-01-31T09:15:00.000Z'],
  ])('of the schedule %s come next at %s, in UTC', (schedule, next) => {
    expect(nextRun(schedule, new Date('2026-01-01T09:30:00Z'))?.toISOString()).toBe(next);
  });

  it.each(['', '* * * *', '* * * * * *', '61 * * * *', 'every day at 6 now'])('of "%s" are none', (schedule) => {
    expect(refusal(() => nextRun(schedule, new Date()))).toContain('schedule');
  });
});

describe('figures', () => {
  it('say nothing of nothing', () => {
    expect(passRate(0, 0)).toBeNull();
    expect(passRate(1, 3)?.toFixed()).toBe('0.33333333');
  });
});

describe('chaos events', () => {
  it('stand for each kind of fault, one each', () => {
    expect(new Set(FAULT_KINDS.map(typeOf)).size).toBe(FAULT_KINDS.length);
    for (const kind of FAULT_KINDS) expect(kindOf(typeOf(kind))).toBe(kind);
  });

  it('that no domain offers are refused', () => {
    const offered = EVENT_TYPES.filter(
      (type) => refusal(() => checkInjectable(type, 'custodian')) === 'it was not refused',
    );
    expect(offered).not.toContain('cpu_stress');
    expect(offered).toContain('settlement_delay');
    expect(refusal(() => checkInjectable('market_scenario', 'risk'))).toContain('market-data');
    expect(refusal(() => checkInjectable('network_latency', 'audit'))).toContain('targetService');
  });
});
