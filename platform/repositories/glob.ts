/**
 * Globs as Redis reads them: `*` any bytes, `?` one byte, `[abc]`, `[a-z]` and `[^a]` one byte of a set, `\` the next
 * byte as it is.
 */

/** The text as a glob that names nothing else. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, '\\$&');
}

type Test = (byte: string) => boolean;
type Token = Test | typeof ANY;

const ANY = Symbol('any bytes');

/** Whether the glob names a text. Takes time in proportion to both at most, whatever the glob. */
export function globMatcher(glob: string): (text: string) => boolean {
  const tokens = read(bytesOf(glob));
  return (text) => matches(tokens, bytesOf(text));
}

/** One character a byte, as Redis compares them. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function read(glob: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; at++) {
    const byte = glob[at] as string;
    if (byte === '*') tokens.push(ANY);
    else if (byte === '?') tokens.push(() => true);
    else if (byte === '[') {
      const { test, end } = readSet(glob, at + 1);
      tokens.push(test);
      at = end;
    } else {
      const literal = byte === '\\' && at + 1 < glob.length ? (glob[++at] as string) : byte;
      tokens.push((one) => one === literal);
    }
  }
  return tokens;
}

/** The set that begins there, and the place of its `]`; one that is not closed ends with the glob. */
function readSet(glob: string, start: number): { test: Test; end: number } {
  const ranges: [string, string][] = [];
  const isNegated = glob[start] === '^';
  let at = isNegated ? start + 1 : start;
  for (; at < glob.length && glob[at] !== ']'; at++) {
    if (glob[at] === '\\' && at + 1 < glob.length) {
      const literal = glob[++at] as string;
      ranges.push([literal, literal]);
    } else if (glob[at + 1] === '-' && at + 2 < glob.length) {
      const [low, high] = [glob[at] as string, glob[at + 2] as string].sort();
      ranges.push([low as string, high as string]);
      at += 2;
    } else ranges.push([glob[at] as string, glob[at] as string]);
  }
  return { test: (one) => ranges.some(([low, high]) => one >= low && one <= high) !== isNegated, end: at };
}

/** Only the last `*` is ever tried again: what an earlier one could take more, the last one can too. */
function matches(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let retryToken = -1;
  let retryAt = 0;
  while (at < text.length) {
    const expected = tokens[token];
    if (expected === ANY) {
      retryToken = ++token;
      retryAt = at;
    } else if (expected?.(text[at] as string)) {
      token++;
      at++;
    } else if (retryToken >= 0) {
      token = retryToken;
      at = ++retryAt;
    } else return false;
  }
  while (tokens[token] === ANY) token++;
  return token === tokens.length;
}
