/** Bounds of the texts a caller gives. PostgreSQL stores neither NUL nor half a surrogate pair. */
import { refuse } from '../../../platform/errors.ts';

export const ID_LENGTH = 255;
export const NAME_LENGTH = 255;
export const NOTE_LENGTH = 2_000;

/** Whether the text can be stored as it is. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/**
 * The text itself when it has 1 to `longest` characters and can be stored.
 * @throws Refusal (validation) otherwise
 */
export function boundedText(text: string, longest: number, path: readonly string[]): string {
  const length = [...text].length;
  if (length === 0 || length > longest) {
    throw refuse.validation(`${path.at(-1)} must have 1 to ${longest} characters, but got ${length}.`, path);
  }
  if (!isStorable(text)) throw refuse.validation(`${path.at(-1)} must be valid text without NUL characters.`, path);
  return text;
}

/** NUL and halves of surrogate pairs are what JSON.stringify writes as these escapes; `\\u0000` is a text about one. */
const UNSTORABLE = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/;

/**
 * The JSON object itself when every text in it can be stored.
 * @throws Refusal (validation) otherwise
 */
export function storableJson<Value extends object>(value: Value, path: readonly string[]): Value {
  if (UNSTORABLE.test(JSON.stringify(value))) {
    throw refuse.validation(`${path.at(-1)} must hold valid text without NUL characters.`, path);
  }
  return value;
}
