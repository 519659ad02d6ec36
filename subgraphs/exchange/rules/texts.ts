/** Bounds of the texts a caller gives. PostgreSQL stores neither NUL nor half a surrogate pair. */
import { refuse } from '../../../platform/errors.ts';

export const ID_LENGTH = 255;
export const NAME_LENGTH = 100;

const ASSET = /^[A-Z0-9]{1,20}$/;

/** Whether the text can be stored as it is. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/**
 * The text itself when it has 1 to `longest` characters, none of them at the ends blank, and can be stored.
 * @throws Refusal (validation) otherwise
 */
export function boundedText(text: string, longest: number, path: readonly string[]): string {
  const length = [...text].length;
  if (length === 0 || length > longest) {
    throw refuse.validation(`${path.at(-1)} must have 1 to ${longest} characters, but got ${length}.`, path);
  }
  if (!isStorable(text)) throw refuse.validation(`${path.at(-1)} must be valid text without NUL characters.`, path);
  if (text.trim() !== text) throw refuse.validation(`${path.at(-1)} must not begin or end with a blank.`, path);
  return text;
}

/**
 * The code of an asset in upper case.
 * @throws Refusal (validation) when it cannot be one
 */
export function assetCode(text: string, path: readonly string[] = ['input', 'asset']): string {
  const code = text.trim().toUpperCase();
  if (!ASSET.test(code)) throw refuse.validation(`"${text}" is not an asset code. Write for example BTC.`, path);
  return code;
}

/**
 * The JSON object itself when every text in it can be stored.
 * @throws Refusal (validation) otherwise
 */
export function storableJson<Value extends object>(value: Value, path: readonly string[]): Value {
  const texts = (part: unknown): boolean => {
    if (typeof part === 'string') return isStorable(part);
    if (part === null || typeof part !== 'object') return true;
    return Object.entries(part).every(([key, inner]) => isStorable(key) && texts(inner));
  };
  if (!texts(value)) throw refuse.validation(`${path.at(-1)} must hold valid text without NUL characters.`, path);
  return value;
}
