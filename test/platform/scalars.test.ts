import { type GraphQLScalarType, parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { dec, toWire } from '../../platform/decimal.ts';
import { scalarResolvers } from '../../platform/scalars.ts';

const { Decimal, DateTime, JSON: Json } = scalarResolvers;
const literal = (scalar: GraphQLScalarType<unknown, unknown>, text: string) =>
  scalar.parseLiteral(parseValue(text), {});

describe('Decimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['-0.00', '0'],
    ['+1.50', '1.5'],
    ['007.10', '7.1'],
    ['-12.00000001', '-12.00000001'],
    ['9999999999999999.99999999', '9999999999999999.99999999'],
  ])('reads %s as %s', (text, expected) => {
    expect(Decimal.parseValue(text)).toBe(expected);
  });

  it.each([
    ['1e3', 'digits with an optional point'],
    ['1,000', 'digits with an optional point'],
    ['', 'digits with an optional point'],
    ['.5', 'digits with an optional point'],
    ['NaN', 'digits with an optional point'],
    ['0.123456789', 'at most 8 fractional digits, but got 9'],
    ['10000000000000000', 'at most 16 digits before the point, but got 17'],
  ])('refuses %s', (text, reason) => {
    expect(() => Decimal.parseValue(text)).toThrow(reason);
  });

  it('refuses numbers, which may have been rounded on the way', () => {
    expect(() => Decimal.parseValue(0.1)).toThrow('must be text, for example "0.5", but got the number 0.1');
    expect(() => literal(Decimal, '0.1')).toThrow('must be written as text, "0.1"');
    expect(() => literal(Decimal, '5')).toThrow('must be written as text, "5"');
    expect(literal(Decimal, '"5.0"')).toBe('5');
  });

  it('writes without exponent and trailing zeros', () => {
    expect(Decimal.serialize('48000.00000000')).toBe('48000');
    expect(Decimal.serialize(dec('0.00000001'))).toBe('0.00000001');
    expect(Decimal.serialize(dec('1e20'))).toBe('100000000000000000000');
    expect(toWire('100')).toBe('100');
    expect(() => Decimal.serialize(0.1)).toThrow(TypeError);
  });
});

describe('DateTime', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T01:30:00+01:30', '2026-01-01T00:00:00Z'],
    ['2025-12-31T19:00:00.120300-05:00', '2026-01-01T00:00:00.1203Z'],
    ['2026-06-30T23:59:59.999999Z', '2026-06-30T23:59:59.999999Z'],
    ['2024-02-29T00:30:00+01:00', '2024-02-28T23:30:00Z'],
  ])('reads %s as %s', (text, expected) => {
    expect(DateTime.parseValue(text)).toBe(expected);
  });

  it.each([
    ['2026-01-01T00:00:00', 'must have an offset'],
    ['2026-01-01', 'must be RFC 3339'],
    ['2026-02-30T00:00:00Z', 'must be a day and time that exist'],
    ['2026-13-01T00:00:00Z', 'must be a day and time that exist'],
    ['2026-01-01T25:00:00Z', 'must be a day and time that exist'],
    ['2026-01-01T00:00:00.1234567Z', 'takes at most microseconds'],
    ['0000-01-01T00:00:00Z', 'must be a day and time that exist'],
    ['2026-02-29T00:00:00Z', 'must be a day and time that exist'],
    ['2026-01-01T00:00:60Z', 'must be a day and time that exist'],
    ['2026-01-01T00:00:00+99:00', 'must lie in the years 0001 to 9999'],
    ['0001-01-01T00:00:00+01:00', 'must lie in the years 0001 to 9999'],
    ['9999-12-31T23:59:59-01:00', 'must lie in the years 0001 to 9999'],
  ])('refuses %s', (text, reason) => {
    expect(() => DateTime.parseValue(text)).toThrow(reason);
  });
});

describe('JSON', () => {
  it('takes objects of at most 64 KiB', () => {
    expect(literal(Json, '{desk: "a", levels: [1, 2]}')).toEqual({ desk: 'a', levels: [1, 2] });
    expect(() => Json.parseValue([1])).toThrow('must be an object');
    expect(() => Json.parseValue({ text: 'x'.repeat(65_536) })).toThrow('takes at most 65536 bytes, but got 65547');
  });
});
