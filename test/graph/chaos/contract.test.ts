/** What every domain that can be struck takes, refuses, lists, renews and clears. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HONOURED, STRUCK_DOMAINS } from '../../../platform/chaos/kinds.ts';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { clear, faults, inject, injectAny, renew } from './drill.ts';

let graph: TestGraph;
let at = new Date('2026-03-02T12:00:00Z');
const later = (seconds: number) => {
  at = new Date(at.getTime() + seconds * 1_000);
};

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true, now: () => at });
});
afterAll(() => graph.close());

const LATE = { kind: 'LATENCY', parameters: { delayMs: 1, operations: ['nothing'] } };

describe.each(STRUCK_DOMAINS)('faults of %s', (domain) => {
  it('are injected, renewed and cleared by their run', async () => {
    const fault = await inject(graph, domain, {
      ...LATE,
      runId: 'run-1',
      leaseSeconds: 60,
      reason: 'a drill',
      injectedBy: 'ann',
    });
    expect(fault).toEqual({
      faultId: expect.any(String),
      domain,
      kind: 'LATENCY',
      target: 'nothing',
      parameters: LATE.parameters,
      runId: 'run-1',
      reason: 'a drill',
      injectedBy: 'ann',
      injectedAt: at.toISOString().replace('.000', ''),
      expiresAt: new Date(at.getTime() + 60_000).toISOString().replace('.000', ''),
      clearedAt: null,
      status: 'ACTIVE',
    });
    const other = await inject(graph, domain, {
      ...LATE,
      parameters: { delayMs: 1, operations: ['other'] },
      runId: 'run-2',
    });
    expect(await faults(graph, domain, { runId: 'run-1' })).toEqual([fault]);

    later(10);
    const renewed = await renew(graph, domain, { runId: 'run-1', leaseSeconds: 3_600 });
    expect(renewed.errors).toEqual([]);
    expect(renewed.faults).toEqual([
      { ...fault, expiresAt: new Date(at.getTime() + 3_600_000).toISOString().replace('.000', '') },
    ]);
    expect((await clear(graph, domain, { runId: 'run-1' })).faults).toMatchObject([
      { faultId: fault.faultId, status: 'CLEARED' },
    ]);
    expect((await clear(graph, domain, { runId: 'run-1' })).faults).toEqual([]);
    expect(await faults(graph, domain)).toMatchObject([{ faultId: other.faultId }]);
    expect((await clear(graph, domain, { faultId: other.faultId })).faults).toHaveLength(1);
    expect(await faults(graph, domain)).toEqual([]);
    expect(await faults(graph, domain, { activeOnly: false })).toHaveLength(2);
  });

  it('last once for each kind and target, and end when their lease does', async () => {
    const { faultId } = await inject(graph, domain, { ...LATE, runId: 'run-3', leaseSeconds: 5 });
    const [refusal] = (await injectAny(graph, domain, LATE)).errors;
    expect(refusal).toMatchObject({
      code: 'CONFLICT',
      message: 'A LATENCY about nothing lasts already: clear it first.',
    });
    const [twin] = (await injectAny(graph, domain, { ...LATE, faultId, parameters: { delayMs: 2 } })).errors;
    expect(twin).toMatchObject({ code: 'CONFLICT', path: ['input', 'faultId'] });

    later(6);
    expect(await faults(graph, domain)).toEqual([]);
    expect((await renew(graph, domain, { runId: 'run-3' })).faults).toEqual([]);
    expect(await faults(graph, domain, { activeOnly: false, runId: 'run-3' })).toMatchObject([{ status: 'EXPIRED' }]);
    const again = await inject(graph, domain, LATE);
    await clear(graph, domain, { faultId: again.faultId });
  });

  it('are refused when the domain does not honour them, or their parameters do not fit', async () => {
    const foreign = (domain as string) === 'custodian' ? 'SPREAD' : 'HOLIDAY';
    const [refusal] = (await injectAny(graph, domain, { kind: foreign })).errors;
    expect(refusal).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: `The ${domain} domain does not honour ${foreign}, only ${HONOURED[domain].join(', ')}.`,
    });
    for (const [kind, parameters, message] of [
      ['LATENCY', {}, 'LATENCY delayMs: Invalid input: expected number, received undefined.'],
      ['LATENCY', { delayMs: 60_001 }, 'LATENCY delayMs: Too big: expected number to be <=60000.'],
      ['REJECTION', { share: '1.1' }, 'REJECTION share: must lie between "0" and "1".'],
      ['REJECTION', { share: 0.5 }, 'REJECTION share: Invalid input: expected string, received number.'],
      ['DOWNTIME', { delayMs: 1 }, 'DOWNTIME: Unrecognized key: "delayMs".'],
    ] as const) {
      expect((await injectAny(graph, domain, { kind, parameters })).errors).toMatchObject([
        { code: 'VALIDATION_FAILED', message },
      ]);
    }
    expect((await injectAny(graph, domain, { ...LATE, leaseSeconds: 3_601 })).errors).toMatchObject([
      { message: 'leaseSeconds must lie between 1 and 3600, but got 3601.' },
    ]);
    expect((await clear(graph, domain, {})).errors).toMatchObject([{ message: 'Give either runId or faultId.' }]);
    expect(await faults(graph, domain)).toEqual([]);
  });
});
