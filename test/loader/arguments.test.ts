import { describe, expect, it } from 'vitest';
import { readArguments, USAGE } from '../../clients/loader/arguments.ts';

describe('the arguments', () => {
  it('takes files alone, with nothing chosen but the depth', () => {
    expect(readArguments(['a.csv', 'folder'])).toEqual({
      paths: ['a.csv', 'folder'],
      kind: undefined,
      symbol: undefined,
      venue: undefined,
      interval: undefined,
      depth: 10,
      url: undefined,
    });
  });

  it('takes every option, symbols in any spelling', () => {
    const options =
      '--kind bars --symbol btc/usd --venue coinbase --interval 5m --depth 100 --url https://graph/graphql';
    expect(readArguments([...options.split(' '), 'a.csv'])).toEqual({
      paths: ['a.csv'],
      kind: 'bars',
      symbol: 'BTC-USD',
      venue: 'coinbase',
      interval: '5m',
      depth: 100,
      url: 'https://graph/graphql',
    });
  });

  it.each([['--help'], ['-h'], ['a.csv', '--help']])('%s asks for help', (...argv) => {
    expect(readArguments(argv)).toBe('help');
  });

  it.each([
    [['--colour', 'a.csv'], "Unknown option '--colour'"],
    [[], 'Name at least one file.'],
    [['--kind', 'candles', 'a.csv'], '--kind must be one of instruments, bars,'],
    [['--interval', '2m', 'a.csv'], '--interval must be one of 1m, 5m, 15m, 1h, 4h, 1d, but got "2m".'],
    [['--symbol', 'bitcoin', 'a.csv'], '--symbol must be like BTC-USD'],
    [['--venue', 'Coinbase Pro', 'a.csv'], '--venue: venueId must be lower-case letters'],
    [['--depth', '0', 'a.csv'], '--depth must be a whole number from 1 to 100, but got "0".'],
    [['--depth', '1e1', 'a.csv'], '--depth must be a whole number'],
    [['--url', 'localhost:4000', 'a.csv'], '--url must be like http://localhost:4000/graphql'],
    [['--url'], "Option '--url <value>' argument missing"],
  ])('%j is refused with the reason and the usage', (argv, reason) => {
    expect(() => readArguments(argv)).toThrow(reason);
    expect(() => readArguments(argv)).toThrow(USAGE);
  });
});
