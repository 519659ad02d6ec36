import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigType, configValue } from '../../../subgraphs/registry/rules/config-value.ts';
import { configKey, scopeOf, serviceName } from '../../../subgraphs/registry/rules/names.ts';

describe('a value of configuration', () => {
  it.each<[ConfigType, string, string]>([
    ['STRING', '', ''],
    ['STRING', ' as it is ', ' as it is '],
    ['INTEGER', '007', '7'],
    ['INTEGER', '-0', '0'],
    ['INTEGER', '+9223372036854775807', '9223372036854775807'],
    ['INTEGER', '-9223372036854775808', '-9223372036854775808'],
    ['DECIMAL', '0.10', '0.1'],
    ['DECIMAL', '-00', '0'],
    ['DECIMAL', '9999999999999999.99999999', '9999999999999999.99999999'],
    ['BOOLEAN', 'true', 'true'],
    ['JSON', ' {"rate": 0.1000000000000000055} ', '{"rate": 0.1000000000000000055}'],
    ['JSON', 'null', 'null'],
    ['DURATION', 'PT30S', 'PT30S'],
    ['DURATION', 'P1DT2H3M0.5S', 'P1DT2H3M0.5S'],
    ['DURATION', 'P7D', 'P7D'],
    ['DATETIME', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z'],
  ])('of %s "%s" is kept as "%s"', (type, text, kept) => {
    expect(configValue(type, text)).toBe(kept);
    expect(configValue(type, kept)).toBe(kept);
  });

  it.each<[ConfigType, string, string]>([
    ['STRING', 'a\0', 'value must be valid text without NUL characters.'],
    ['STRING', 'é'.repeat(40_000), 'value takes at most 65536 bytes, but got 80000.'],
    ['INTEGER', '1.5', 'A value of INTEGER must be a whole number, for example 30, but got "1.5".'],
    ['INTEGER', '', 'must be a whole number'],
    ['INTEGER', ' 1', 'must be a whole number'],
    ['INTEGER', '9223372036854775808', 'must be a whole number of 64 bits'],
    ['DECIMAL', '1e3', 'must be digits with at most 16 before and 8 after the point'],
    ['DECIMAL', '0.123456789', 'must be digits'],
    ['DECIMAL', '10000000000000000', 'must be digits'],
    ['DECIMAL', '.5', 'must be digits'],
    ['BOOLEAN', 'True', 'must be true or false, but got "True".'],
    ['JSON', '{a: 1}', 'must be JSON'],
    ['JSON', '', 'must be JSON'],
    ['DURATION', '30s', 'must be an ISO 8601 duration'],
    ['DURATION', 'P', 'must be an ISO 8601 duration'],
    ['DURATION', 'PT', 'must be an ISO 8601 duration'],
    ['DURATION', 'P1DT', 'must be an ISO 8601 duration'],
    ['DURATION', 'P1M', 'must be an ISO 8601 duration'],
    ['DATETIME', '2026-01-01T00:00:00', 'must have an offset'],
    ['DATETIME', '2026-02-30T00:00:00Z', 'must be a day and time that exist'],
  ])('of %s is not "%.20s"', (type, text, message) => {
    expect(() => configValue(type, text)).toThrow(message);
  });

  it('of INTEGER is every number of 64 bits, in one spelling', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(5), (number, zeros) => {
        const digits = '0'.repeat(zeros) + String(number < 0n ? -number : number);
        expect(configValue('INTEGER', `${number < 0n ? '-' : ''}${digits}`)).toBe(String(number));
      }),
    );
  });
});

describe('names', () => {
  it.each(['a', 'risk', 'exchange-okx', `${'x'.repeat(63)}`])('of a service: "%s"', (name) => {
    expect(serviceName(name, ['name'])).toBe(name);
    expect(scopeOf(name, ['service'])).toBe(name);
  });

  it.each(['', '*', 'Risk', '-a', 'a-', 'a.b', 'x'.repeat(64), 'é'])('of no service: "%s"', (name) => {
    expect(() => serviceName(name, ['name'])).toThrow('name must be 1 to 63 lower-case letters');
  });

  it('leave out the service for every one', () => {
    expect([scopeOf(null, []), scopeOf(undefined, [])]).toEqual(['*', '*']);
  });

  it.each(['a', 'risk.check-interval', 'a_b.c2', '1'])('of a setting: "%s"', (key) => {
    expect(configKey(key, ['key'])).toBe(key);
  });

  it.each(['', '.', 'a.', 'a..b', 'A', 'a b', 'x'.repeat(201)])('of no setting: "%.20s"', (key) => {
    expect(() => configKey(key, ['key'])).toThrow('key must be lower-case letters and digits');
  });
});
