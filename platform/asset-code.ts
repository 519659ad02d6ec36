import { refuse } from './errors.ts';

const ASSET = /^[A-Z0-9]{1,20}$/;

/**
 * The code of an asset in upper case.
 * @throws Refusal (validation) when it cannot be one
 */
export function assetCode(text: string, path: readonly string[] = ['input', 'asset']): string {
  const code = text.trim().toUpperCase();
  if (!ASSET.test(code)) throw refuse.validation(`"${text}" is not an asset code. Write for example BTC.`, path);
  return code;
}
