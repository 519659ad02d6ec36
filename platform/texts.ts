/** Texts that a caller gives. PostgreSQL stores neither NUL nor half a surrogate pair. */
import { refuse } from './errors.ts';

/** Whether the text can be stored as it is. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/**
 * The text itself when it has 1 to `longest` characters, no blank at either end, and can be stored.
 * @throws Refusal (validation) otherwise
 */
export function boundedText(text: string, longest: number, path: readonly string[]): string {
  const length = [...text].length;
  const name = path.at(-1);
  if (length === 0 || length > longest) {
    throw refuse.validation(`${name} must have 1 to ${longest} characters, but got ${length}.`, path);
  }
  if (!isStorable(text)) throw refuse.validation(`${name} must be valid text without NUL characters.`, path);
  if (text.trim() !== text) throw refuse.validation(`${name} must not begin or end with a blank.`, path);
  return text;
}

/** Letters that are not seen. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;

/** Whether two names are one person's: in capitals or not, in letters of any width, with blanks of any kind. */
export function isSamePerson(one: string, other: string): boolean {
  return personOf(one) === personOf(other);
}

function personOf(name: string): string {
  return name.normalize('NFKC').replace(UNSEEN, '').replace(/\s+/g, ' ').trim().toLowerCase();
}

/**
 * The JSON object itself when every text in it can be stored.
 * @throws Refusal (validation) otherwise
 */
export function storableJson<Value extends object>(value: Value, path: readonly string[]): Value {
  if (holdsStorable(value)) return value;
  throw refuse.validation(`${path.at(-1)} must hold valid text without NUL characters.`, path);
}

function holdsStorable(part: unknown): boolean {
  if (typeof part === 'string') return isStorable(part);
  if (part === null || typeof part !== 'object') return true;
  return Object.entries(part).every(([key, inner]) => isStorable(key) && holdsStorable(inner));
}
