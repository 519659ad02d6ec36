/** The nth number of a seed, from -1 to 1: splitmix32, so that every process draws the same, in any order. */
export function noise(seed: number, nth: number): number {
  let state = (seed + Math.imul(nth + 1, 0x9e3779b9)) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 31 - 1;
}
