import { describe, expect, it } from 'vitest';
import { pauseAfter, runnerOf } from '../../clients/simulator/routine.ts';
import { Stopped, stoppable } from '../../clients/simulator/stoppable.ts';
import { createTroubles } from '../../clients/simulator/troubles.ts';
import { refuse } from '../../platform/errors.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { Logger } from '../../platform/log.ts';

const HOUR_MS = 3_600_000;

/** A log that is read by the test. */
function heard(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = {
    info: (text: string) => lines.push(text),
    warn: (_: object, text: string) => lines.push(text),
  };
  return { log: log as unknown as Logger, lines };
}

describe('a routine', () => {
  it('that fails is said once, tried ever more slowly, and said again when it goes on', async () => {
    const { log, lines } = heard();
    let nowMs = 0;
    let isAway = true;
    const troubles = createTroubles(log, () => nowMs);
    const run = async () => {
      if (isAway) throw refuse.domainUnavailable('trading');
    };
    const runner = runnerOf({ name: 'quotes', everyMs: 500, run }, { troubles, log });
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      const pauseMs = await runner.run(nowMs);
      pauses.push(pauseMs);
      nowMs += pauseMs;
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    isAway = false;
    expect(await runner.run(nowMs)).toBe(500);
    expect(await runner.run(nowMs)).toBe(500);
    expect(lines).toEqual([
      'quotes: The trading domain does not answer. Nothing was done; try again later.',
      'quotes: goes on',
    ]);
  });

  it('that was stopped says nothing', async () => {
    const { log, lines } = heard();
    const run = () => Promise.reject(new Stopped());
    await runnerOf({ name: 'quotes', everyMs: 500, run }, { troubles: createTroubles(log, Date.now), log }).run(0);
    expect(lines).toEqual([]);
  });

  it('waits half a minute at most, after however many failures', () => {
    expect(pauseAfter(5_000)).toBe(30_000);
  });
});

describe('troubles', () => {
  it('are news again after a quiet while', () => {
    const { log, lines } = heard();
    let nowMs = 0;
    const troubles = createTroubles(log, () => nowMs);
    expect(troubles.note('a', 'first')).toBe(true);
    nowMs += HOUR_MS / 12;
    expect(troubles.note('a', 'second')).toBe(false);
    expect(troubles.note('b', 'other')).toBe(true);
    nowMs += HOUR_MS;
    expect(troubles.note('a', 'third')).toBe(true);
    expect(lines).toEqual(['first', 'other', 'third']);
  });
});

describe('a way to the graph that can be closed', () => {
  const answering = (answer: Promise<unknown>) => ({ request: () => answer }) as unknown as GraphClient;

  it('passes answers and failures on', async () => {
    expect(await stoppable(answering(Promise.resolve(1))).graph.request('{ a }')).toBe(1);
    const failing = stoppable(answering(Promise.reject(new Error('no'))));
    await expect(failing.graph.request('{ a }')).rejects.toThrow('no');
  });

  it('lets nobody wait, but waits itself for what is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { graph, stop } = stoppable(answering(promise));
    const waiting = expect(graph.request('{ a }')).rejects.toThrow(Stopped);
    let hasStopped = false;
    const stopped = stop().then(() => {
      hasStopped = true;
    });
    await waiting;
    expect(hasStopped).toBe(false);
    resolve(null);
    await stopped;
    await expect(graph.request('{ a }')).rejects.toThrow(Stopped);
  });

  it('does not wait long for a graph that does not answer', async () => {
    const { graph, stop } = stoppable(answering(new Promise(() => {})));
    const waiting = expect(graph.request('{ a }')).rejects.toThrow(Stopped);
    const began = performance.now();
    await stop();
    await waiting;
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});
