import { describe, expect, it } from 'vitest';
import { readArguments, USAGE } from '../../clients/simulator/arguments.ts';

const defaults = { seed: 1, rate: 1, replay: [], speed: 1, loop: false };

describe('the arguments', () => {
  it.each([
    [[], {}],
    [['--seed', '42', '--rate', '0.5'], { seed: 42, rate: 0.5 }],
    [['--replay', 'a.csv', 'b.csv', '--speed', '10', '--loop'], { replay: ['a.csv', 'b.csv'], speed: 10, loop: true }],
    [['--replay', 'a.csv', '--replay', 'b.csv'], { replay: ['a.csv', 'b.csv'] }],
  ])('%j are understood', (argv, expected) => {
    expect(readArguments(argv)).toEqual({ ...defaults, ...expected });
  });

  it.each([
    [['--rate', '0'], '--rate must be a number from 0.1 to 20, but got "0".'],
    [['--seed', '1.5'], '--seed must be a whole number from 0 to 9007199254740991, but got "1.5".'],
    [['--replay', 'a.csv', '--speed', ''], '--speed must be a number from 0.1 to 1000, but got "".'],
    [['a.csv'], '"a.csv" is no option; is --replay missing?'],
    [['--speed', '2'], '--speed and --loop are about a --replay.'],
    [['--what'], "Unknown option '--what'"],
  ])('%j are refused with the usage', (argv, message) => {
    const read = () => readArguments(argv);
    expect(read).toThrow(message);
    expect(read).toThrow(USAGE.slice(0, 30));
  });

  it('may ask for help', () => {
    expect(readArguments(['-h'])).toBe('help');
  });
});
