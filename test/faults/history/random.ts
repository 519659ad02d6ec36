/** A stream of random choices that a seed repeats. */
export interface Random {
  /** From 0 up to, and without, the limit. */
  below(limit: number): number;
  /** From the first to the second, both included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** So many different items, in any order. */
  some<Item>(items: readonly Item[], count: number): Item[];
  /** A key of the table, as often as its weight says. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key;
  /** A stream of its own for one part, which no other part's choices disturb. */
  fork(part: string): Random;
}

export function createRandom(seed: string): Random {
  const next = generator(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <Item>(items: readonly Item[]): Item => {
    if (items.length === 0) throw new Error('There is nothing to pick from');
    return items[below(items.length)] as Item;
  };
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => next() < probability,
    pick,
    some(items, count) {
      const left = [...items];
      const taken = Math.min(count, left.length);
      return Array.from({ length: taken }, () => left.splice(below(left.length), 1)[0] as (typeof left)[number]);
    },
    weighted(weights) {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of entries) {
        rest -= weight;
        if (rest < 0) return key;
      }
      return (entries.at(-1) as (typeof entries)[number])[0];
    },
    fork: (part) => createRandom(`${seed}/${part}`),
  };
}

/** mulberry32, seeded by the FNV-1a hash of the text. */
function generator(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) as number), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
