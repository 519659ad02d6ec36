/**
 * Reading the fields of a row: each function gives a value as the graph takes it, or throws BadRow with the reason why
 * the row is refused. Only what a value is gets checked here; what it means (high below low, …) the graph checks.
 */
import { dec, round8 } from '../../platform/decimal.ts';
import { parseInstant } from '../../platform/instant.ts';
import { scalarResolvers } from '../../platform/scalars.ts';

/** A row's values by the names of their columns. */
export type Fields = Readonly<Record<string, string>>;

/** Why a row is refused. */
export class BadRow extends Error {}

/** Longest text shown in a reason, and longest number that is read at all. */
const TEXT_LIMIT = 60;
const PLAIN_NUMBER = /^\d+(\.\d+)?$/;

/** A price or an exact quantity. Never rounded: digits beyond the 8th are refused unless they are zeros. */
export function decimalOf(fields: Fields, column: string): string {
  return decimalText(textOf(fields, column), column);
}

/** The decimal that a text is; `name` says what it is in the reason. */
export function decimalText(text: string, name: string): string {
  if (text.length > TEXT_LIMIT) throw new BadRow(`${name} must be a number, but got ${shown(text)}`);
  try {
    return scalarResolvers.Decimal.parseValue(text.replace(/(\.\d{8}\d*?)0+$/, '$1'));
  } catch (error) {
    throw new BadRow(`${name}: ${String(error instanceof Error ? error.message : error).replace(/\.$/, '')}`);
  }
}

/**
 * A size that sums of floating-point numbers have left their noise in ("33.35399601000002"), rounded half-even to 8
 * places. `onRounded` is called when that changed it.
 */
export function sizeOf(fields: Fields, column: string, onRounded: () => void): string {
  const text = textOf(fields, column);
  if (text.length > TEXT_LIMIT || !PLAIN_NUMBER.test(text)) return decimalOf(fields, column);
  const exact = dec(text);
  const rounded = round8(exact);
  if (!rounded.equals(exact)) onRounded();
  return decimalText(rounded.toFixed(), column);
}

/** An instant in RFC 3339 with its offset, canonical and UTC. */
export function instantOf(fields: Fields, column: string): string {
  const text = textOf(fields, column);
  const parsed = parseInstant(text);
  if ('problem' in parsed) throw new BadRow(`${column} ${parsed.problem}, but got ${shown(text)}`);
  return parsed.instant;
}

/** A whole number of 0 or more, as text: it may exceed what a JavaScript number holds. */
export function wholeNumberOf(fields: Fields, column: string): string {
  const text = textOf(fields, column);
  if (!/^\d{1,19}$/.test(text)) throw new BadRow(`${column} must be a whole number, but got ${shown(text)}`);
  return text;
}

/** One of the known words; upper and lower case are the same. */
export function oneOf<Word extends string>(fields: Fields, column: string, words: readonly Word[]): Word {
  const text = textOf(fields, column);
  const found = words.find((word) => word === text.toUpperCase());
  if (!found) throw new BadRow(`${column} must be ${words.join(' or ')}, but got ${shown(text)}`);
  return found;
}

/** The text of a column, which must not be empty. */
export function textOf(fields: Fields, column: string): string {
  const text = fields[column];
  if (!text) throw new BadRow(`${column} is empty`);
  return text;
}

/** A text as a reason shows it, shortened. */
export function shown(text: string): string {
  return `"${text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text}"`;
}
