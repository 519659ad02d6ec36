/** Random numbers that come again: the same seed and name give the same stream, however many others are read beside it. */
import { createHash } from 'node:crypto';

export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Evenly between two numbers. */
  between(low: number, high: number): number;
  /** Whether something of that probability happens. */
  chance(probability: number): boolean;
  /** From the standard normal distribution. */
  normal(): number;
}

/** The stream of a name: each part of the simulator reads its own, so that none disturbs another. */
export function randomOf(seed: number, name: string): Random {
  const next = sfc32(createHash('sha256').update(`${seed} ${name}`).digest());
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()), // Box and Muller
  };
}

/** Chris Doty-Humphrey's small fast counter: 128 bits of state, and the same on every machine. */
function sfc32(state: Buffer): () => number {
  let [a, b, c, d] = [0, 4, 8, 12].map((offset) => state.readInt32LE(offset)) as [number, number, number, number];
  return () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
}
