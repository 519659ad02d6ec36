/** What `npm run scenario` makes of its command line, and how it tells what came out. */
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../clients/scenario/arguments.ts';
import { spanOf } from '../../clients/scenario/list.ts';
import { asText } from '../../clients/scenario/text.ts';

describe('the command line', () => {
  it('names a scenario, and may say where, how fast, and what becomes of the report', () => {
    expect(readArguments(['market-crash'])).toEqual({
      scenarioId: 'market-crash',
      url: undefined,
      scale: undefined,
      report: 'text',
      out: undefined,
      dryRun: false,
    });
    const all = ['x', '--url', 'http://h/graphql', '--scale', '60', '--report', 'csv', '--out', 'f', '--dry-run'];
    expect(readArguments(all)).toEqual({
      scenarioId: 'x',
      url: 'http://h/graphql',
      scale: '60',
      report: 'csv',
      out: 'f',
      dryRun: true,
    });
    expect(readArguments(['--list'])).toMatchObject({ scenarioId: null });
    expect(readArguments(['--help'])).toBe('help');
  });

  it.each([
    [[], 'Name one scenario'],
    [['a', 'b'], 'Name one scenario'],
    [['a', '--url', 'nowhere'], '--url must be like'],
    [['a', '--scale', '0.5'], '--scale must be a number from 1'],
    [['a', '--report', 'pdf'], '--report must be one of text, json, html, csv'],
    [['a', '--unknown'], 'unknown'],
  ])('%j is refused with the usage', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message);
    expect(() => readArguments(argv)).toThrow('Usage: npm run scenario');
  });
});

describe('what is told', () => {
  it('says how long scenarios take', () => {
    expect([90, 1_620, 129_600].map(spanOf)).toEqual(['90 s', '27 min', '36 h']);
  });

  it('has what was to be detected, with what it took, and leaves out what there is nothing to say of', () => {
    const text = asText({
      summary: ['It passed.'],
      impact: ['Prices fell.'],
      recommendations: [],
      detections: [
        { name: 'halt', trigger: 'prices fall', deadlineMs: 30_000, delayMs: 120, isWithinDeadline: true },
        { name: 'alert', trigger: 'prices fall', deadlineMs: 15_000, delayMs: null, isWithinDeadline: false },
      ],
      run: { runId: 'r', traceId: 't', status: 'PASSED' },
    });
    expect(text).toBe(
      `Summary
  It passed.

Expected detections
  halt   in time  after 0.12 s, of 30.00 s: prices fall
  alert  MISSED   not detected, of 15.00 s: prices fall

Impact
  Prices fell.

Run r, trace t: PASSED
`,
    );
  });
});
