/** What services tell, and what belongs together of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { at, DAY_MS, type Data, openStage, type Stage } from './stage.ts';
import { ask, done, fault, refused, send } from './watch.ts';

let stage: Stage;
let graph: TestGraph;
const tell: Stage['tell'] = (events) => stage.tell(events);
const hour: Stage['hour'] = () => stage.hour();

beforeAll(async () => {
  stage = await openStage();
  graph = stage.graph;
});
afterAll(() => stage.close());

const TRACE = 'feed0000000000000000000000000001';

describe('an event', () => {
  it('that a service tells is sealed as it was told, and known by its id', async () => {
    const input = {
      event: {
        eventId: 'told-1',
        serviceName: 'trading-system-engine',
        eventType: 'order_analysis',
        traceId: TRACE,
        spanId: '00000000000000aa',
        timestamp: '2026-01-02T03:04:05.123400Z',
        domain: 'trading',
        entityType: 'Strategy',
        entityId: 'none',
        category: 'TRADE',
        severity: 'WARNING',
        actorType: 'service',
        actorId: 'engine',
        tags: ['symbol:BTC-USD'],
        metadata: { score: 0.1, deep: { list: [1, 2.5, '3'] } },
        payload: { amount: '1.50' },
        durationNs: '1500',
      },
    };
    const { event, isNew } = await done(
      graph,
      'ingestAuditEvent',
      input,
      `isNew event { eventId traceId spanId timestamp domain entityType entityId entity { ... on Strategy { strategyId } } category severity
        actorType actorId tags metadata payload durationNs chainId sequence previousHash hash origin trace { root { eventId } } }`,
    );
    expect(isNew).toBe(true);
    const { entity, trace, sequence, hash, previousHash, chainId, origin, ...same } = event;
    const { serviceName, eventType, timestamp, ...given } = input.event;
    expect(same).toEqual({ ...given, timestamp: '2026-01-02T03:04:05.1234Z' });
    expect({ chainId, sequence, origin, previousHash }).toEqual({
      chainId: 'audit:trading',
      sequence: '1',
      origin: 'TOLD',
      previousHash: '0'.repeat(64),
    });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(trace.root.eventId).toBe('told-1');
    expect((await done(graph, 'ingestAuditEvent', input, 'isNew event { sequence }')).isNew).toBe(false);
    const other = { event: { ...input.event, payload: { amount: '2' } } };
    expect(await refused(graph, 'ingestAuditEvent', other)).toMatchObject({ code: 'CONFLICT' });
  });

  it.each([
    ['a trace id that is none', { traceId: '0'.repeat(32) }, 'traceId must be 32 hex digits'],
    ['a span id that is none', { spanId: 'xyz' }, 'spanId must be 16 hex digits'],
    ['a type that is none', { eventType: 'Order Created' }, 'eventType must be lower-case words'],
    ['a domain that is none', { domain: 'moon' }, 'domain must be one of'],
    ['half an entity', { entityType: 'Strategy' }, 'entityType and entityId come together'],
    ['a duration that is none', { durationNs: '-1' }, 'durationNs must be a whole number'],
    ['a time far ahead', { timestamp: at(Date.now() + 600_000) }, 'more than 5 minutes ahead'],
  ])('is refused with %s', async (_, wrong, message) => {
    const input = { event: { serviceName: 'desk', eventType: 'something', ...wrong } };
    expect((await refused(graph, 'ingestAuditEvent', input)).message).toContain(message);
  });

  it('is added with others in their order, or none is', async () => {
    const events = [1, 2, 3].map((i) => ({ eventId: `many-${i}`, serviceName: 'desk', eventType: 'step' }));
    const wrong = [...events, { serviceName: 'desk', eventType: 'step', spanId: 'no' }];
    expect(await refused(graph, 'ingestAuditEvents', { events: wrong })).toMatchObject({
      path: ['input', 'events', '3', 'spanId'],
    });
    expect(await ask(graph, `{ auditEvent(id: "many-1") { eventId } }`)).toEqual({ auditEvent: null });
    const { events: told, sealedCount } = await done(
      graph,
      'ingestAuditEvents',
      { events },
      'sealedCount events { eventId sequence chainId }',
    );
    expect(sealedCount).toBe(3);
    expect(told.map((one: Data) => one.eventId)).toEqual(['many-1', 'many-2', 'many-3']);
    expect(new Set(told.map((one: Data) => one.chainId))).toEqual(new Set(['audit:external']));
    const [first, , third] = told.map((one: Data) => Number(one.sequence));
    expect(third - first).toBe(2);
    expect(await done(graph, 'ingestAuditEvents', { events: [] }, 'sealedCount')).toEqual({ sealedCount: 0 });
    const again = await done(graph, 'ingestAuditEvents', { events }, 'sealedCount knownCount');
    expect(again).toEqual({ sealedCount: 0, knownCount: 3 });
  });

  it('is found by all that a filter takes, counted alike, and paged', async () => {
    const from = hour();
    await tell([
      { eventId: 'f1', timestamp: at(from), serviceName: 'a', eventType: 'one', tags: ['x', 'y'], severity: 'ERROR' },
      { eventId: 'f2', timestamp: at(from + 1), serviceName: 'b', eventType: 'two', tags: ['y'], traceId: TRACE },
      {
        eventId: 'f3',
        timestamp: at(from + 2),
        serviceName: 'b',
        eventType: 'one',
        scenarioId: 's',
        category: 'CHAOS',
      },
    ]);
    const window = { from: at(from), to: at(from + 1_000) };
    const find = async (filter: object) => {
      const { auditEvents, auditEventCount } = await ask(
        graph,
        `query ($filter: AuditEventFilter) { auditEvents(filter: $filter, sortOrder: ASC) { nodes { eventId } } auditEventCount(filter: $filter) }`,
        { filter: { ...window, ...filter } },
      );
      expect(auditEventCount).toBe(auditEvents.nodes.length);
      return auditEvents.nodes.map((one: Data) => one.eventId).join(' ');
    };
    expect(await find({})).toBe('f1 f2 f3');
    expect(await find({ serviceNames: ['b'] })).toBe('f2 f3');
    expect(await find({ eventTypes: ['one'] })).toBe('f1 f3');
    expect(await find({ tags: ['x', 'z'] })).toBe('f1');
    expect(await find({ traceId: TRACE.toUpperCase() })).toBe('f2');
    expect(await find({ scenarioId: 's' })).toBe('f3');
    expect(await find({ categories: ['CHAOS'] })).toBe('f3');
    expect(await find({ severities: ['ERROR'] })).toBe('f1');
    expect(await find({ statuses: ['PROCESSED'] })).toBe('f1 f2 f3');
    expect(await find({ statuses: ['FAILED'] })).toBe('');
    expect(await find({ to: at(from + 2) })).toBe('f1 f2');
    const page = `query ($filter: AuditEventFilter, $after: String) { auditEvents(filter: $filter, first: 2, after: $after) {
      nodes { eventId } pageInfo { endCursor hasNextPage } } }`;
    const { auditEvents: first } = await ask(graph, page, { filter: window });
    expect(first).toMatchObject({ nodes: [{ eventId: 'f3' }, { eventId: 'f2' }], pageInfo: { hasNextPage: true } });
    const { auditEvents: second } = await ask(graph, page, { filter: window, after: first.pageInfo.endCursor });
    expect(second.nodes).toEqual([{ eventId: 'f1' }]);
  });

  it('that has failed is taken up again; others are not', async () => {
    const from = hour();
    await tell([{ eventId: 'r1', timestamp: at(from) }]);
    expect(await refused(graph, 'reprocessAuditEvent', { eventId: 'r1' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    expect(await refused(graph, 'reprocessAuditEvent', { eventId: 'none' })).toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      graph.sql('audit', `update sealed_events set status = 'failed', failure = 'x' where event_id = 'r1'`),
    ).rejects.toThrow('an event that is processed cannot become failed');
  });
});

describe('correlations', () => {
  it('tie the events of one trace, and what rules find, one way and surely enough', async () => {
    const from = hour();
    const found = watch(
      graph.client,
      'correlationFound',
      `subscription { correlationFound(minConfidence: "0.8") { kind cursor at correlation { source { eventId } target { eventId } type confidence ruleName delayNs } } }`,
    );
    await found.begun();
    await tell(
      [
        {
          eventId: 'c1',
          timestamp: at(from),
          eventType: 'chaos_injection_started',
          tags: ['symbol:BTC-USD'],
          correlationId: 'run-9',
        },
        { eventId: 'c2', timestamp: at(from + 6_000), eventType: 'risk_alert_generated', tags: ['symbol:BTC-USD'] },
        { eventId: 'c3', timestamp: at(from + 60_000), eventType: 'risk_alert_generated', tags: ['symbol:ETH-USD'] },
        { eventId: 'c4', timestamp: at(from + 61_000), eventType: 'risk_alert_generated', correlationId: 'run-9' },
        { eventId: 'c5', timestamp: at(from + 200_000), eventType: 'risk_alert_generated', correlationId: 'run-9' },
      ].map((event, i) => ({ ...event, traceId: `${i + 1}`.padStart(32, 'b') })),
    );
    const { correlation } = await found.until(({ correlation: one }) => one?.target.eventId === 'c2');
    expect(correlation).toEqual({
      source: { eventId: 'c1' },
      target: { eventId: 'c2' },
      type: 'CAUSAL',
      confidence: '0.865',
      ruleName: 'chaos-to-alert',
      delayNs: '6000000000',
    });
    await found.leave();
    const { correlations } = await ask(
      graph,
      `{ correlations(filter: { eventId: "c1", ruleName: "chaos-to-alert" }) { totalCount nodes { target { eventId } confidence } } }`,
    );
    expect(correlations.nodes.map((one: Data) => `${one.target.eventId} ${one.confidence}`).sort()).toEqual([
      'c2 0.865',
      'c4 0.9',
    ]);
  });

  it('find what led to something though its cause was told later', async () => {
    const from = hour();
    await tell([{ eventId: 'l2', timestamp: at(from + 2_000), eventType: 'order_received', traceId: 'd'.repeat(32) }]);
    await tell([{ eventId: 'l1', timestamp: at(from), eventType: 'order_created', traceId: 'd'.repeat(32) }]);
    const { auditEvent } = await ask(
      graph,
      `{ auditEvent(id: "l1") { causalChain { depth confidence isValidated totalDelayNs members { depth delayNs event { eventId } } }
         correlated { type target { eventId } } } }`,
    );
    expect(auditEvent.causalChain).toEqual({
      depth: 1,
      confidence: '1',
      isValidated: true,
      totalDelayNs: '2000000000',
      members: [
        { depth: 0, delayNs: '0', event: { eventId: 'l1' } },
        { depth: 1, delayNs: '2000000000', event: { eventId: 'l2' } },
      ],
    });
  });

  it('make a chain, once each event, in whatever circles they lie', async () => {
    const from = hour();
    await tell(
      ['a', 'b', 'c', 'd'].map((id, i) => ({
        eventId: `k-${id}`,
        timestamp: at(from + i * 1_000),
        traceId: `${i + 1}`.padStart(32, 'e'),
      })),
    );
    await tell([{ eventId: 'k-e', timestamp: at(from + 9_000), causationId: 'k-d', traceId: '9'.repeat(32) }]);
    const causal = (source: string, target: string, confidence = '0.9') => ({
      sourceEventId: `k-${source}`,
      targetEventId: `k-${target}`,
      type: 'CAUSAL',
      confidence,
    });
    const { correlations } = await done(
      graph,
      'correlateEvents',
      {
        by: 'ann',
        correlations: [causal('a', 'b'), causal('a', 'c', '0.8'), causal('b', 'd'), causal('c', 'd', '0.5')],
      },
      'correlations { createdBy type }',
    );
    expect(correlations).toHaveLength(4);
    const chain = `query ($id: ID!, $depth: Int!) { causalChain(eventId: $id, maxDepth: $depth) { depth confidence isValidated members { event { eventId } depth confidence } } }`;
    const { causalChain } = await ask(graph, chain, { id: 'k-a', depth: 20 });
    expect(causalChain.members.map((one: Data) => `${one.event.eventId} ${one.depth} ${one.confidence}`)).toEqual([
      'k-a 0 1',
      'k-b 1 0.9',
      'k-c 1 0.8',
      'k-d 2 0.81',
      'k-e 3 0.81',
    ]);
    expect(causalChain).toMatchObject({ depth: 3, confidence: '0.81', isValidated: false });
    expect((await ask(graph, chain, { id: 'k-a', depth: 1 })).causalChain.members).toHaveLength(3);
    expect((await ask(graph, chain, { id: 'none', depth: 1 })).causalChain).toBeNull();
    expect((await fault(graph, chain, { id: 'k-a', depth: 21 })).message).toContain('from 1 to 20');
    const circle = { by: 'ann', correlations: [causal('d', 'a')] };
    expect((await refused(graph, 'correlateEvents', circle)).message).toContain('would be the cause');
    expect(await refused(graph, 'correlateEvents', { by: 'ann', correlations: [causal('a', 'x')] })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(
      (await refused(graph, 'correlateEvents', { by: 'ann', correlations: [causal('a', 'b', '1.5')] })).message,
    ).toContain('from 0 to 1');
    const raised = await done(
      graph,
      'correlateEvents',
      { by: 'ann', correlations: [causal('a', 'b', '0.95'), causal('a', 'c', '0.1')] },
      'correlations { confidence }',
    );
    expect(raised.correlations).toEqual([{ confidence: '0.95' }]);
  });

  it('are forgotten after a year, not before', async () => {
    const { message } = await refused(graph, 'purgeCorrelations', { before: at(Date.now() - 300 * DAY_MS) });
    expect(message).toContain('365 days');
    await graph.sql(
      'audit',
      `update audit_correlations set created_at = now() - interval '366 days' where source_event_id = 'k-d'`,
    );
    expect(await done(graph, 'purgeCorrelations', {}, 'purgedCount')).toEqual({ purgedCount: 1 });
  });

  it('follow rules that are made and changed', async () => {
    const rule = {
      ruleName: 'mine',
      triggerType: 'cause_*',
      effectType: 'effect',
      maxDelayMs: 10_000,
      minConfidence: '0.7',
    };
    const { rule: made } = await done(
      graph,
      'setCorrelationRule',
      rule,
      'rule { ruleName version isEnabled minConfidence }',
    );
    expect(made).toEqual({ ruleName: 'mine', version: 1, isEnabled: true, minConfidence: '0.7' });
    expect((await refused(graph, 'setCorrelationRule', { ...rule, minConfidence: '0.5' })).message).toContain(
      'from 0.7 to 1',
    );
    expect((await refused(graph, 'setCorrelationRule', { ...rule, maxDelayMs: 0 })).message).toContain('maxDelayMs');
    const { rule: changed } = await done(
      graph,
      'setCorrelationRule',
      { ...rule, isEnabled: false },
      'rule { version isEnabled }',
    );
    expect(changed).toEqual({ version: 2, isEnabled: false });
    const { correlationRules } = await ask(graph, '{ correlationRules { ruleName minConfidence maxDelayMs } }');
    expect(correlationRules).toEqual(
      expect.arrayContaining([
        { ruleName: 'chaos-to-alert', minConfidence: '0.8', maxDelayMs: 120_000 },
        { ruleName: 'shock-to-halt', minConfidence: '0.9', maxDelayMs: 30_000 },
        { ruleName: 'delay-to-liquidity', minConfidence: '0.7', maxDelayMs: 300_000 },
      ]),
    );
  });

  it('are likenesses as well: same type and service, shared tags and metadata', async () => {
    const from = hour();
    await tell([
      { eventId: 's1', timestamp: at(from), serviceName: 'like', tags: ['a', 'b'], metadata: { k: 1 } },
      { eventId: 's2', timestamp: at(from), serviceName: 'like', tags: ['a', 'b'], metadata: { k: 1 } },
      { eventId: 's3', timestamp: at(from), serviceName: 'like', tags: ['a'], metadata: { k: 2 } },
      { eventId: 's4', timestamp: at(from), serviceName: 'unlike', tags: ['a', 'b'], metadata: { k: 1 } },
    ]);
    const query = `query ($t: Decimal!) { similarEvents(eventId: "s1", threshold: $t) { similarity event { eventId } } }`;
    expect((await ask(graph, query, { t: '0.2' })).similarEvents).toEqual([
      { similarity: '1', event: { eventId: 's2' } },
      { similarity: '0.25', event: { eventId: 's3' } },
    ]);
    expect((await ask(graph, query, { t: '0.5' })).similarEvents).toHaveLength(1);
    expect((await fault(graph, query, { t: '2' })).message).toContain('from 0 to 1');
  });
});

it('a repeat of a command gives the first answer', async () => {
  const input = { event: { serviceName: 'desk', eventType: 'once' }, idempotencyKey: 'audit-1' };
  const first = await send(graph, 'ingestAuditEvent', input, 'event { eventId }');
  expect(await send(graph, 'ingestAuditEvent', input, 'event { eventId }')).toEqual(first);
  const other = { ...input, event: { ...input.event, eventType: 'twice' } };
  expect(await refused(graph, 'ingestAuditEvent', other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
});
