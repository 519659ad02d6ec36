/** What was committed, row by row: the history that every subscriber's stream is measured against. */
import type { Transaction, Write } from './history.ts';

export interface Fact extends Write {
  /** It cannot be seen by what ended before. */
  begunAt: number;
  /** It must be seen by what began afterwards. */
  endedAt: number;
}

export interface Truth {
  /** The committed changes of each row, oldest first. */
  facts: ReadonlyMap<string, readonly Fact[]>;
  /** Place of a change among its row's, or -1 when it was never committed. */
  placeOf(write: Write): number;
}

/** Orders what was committed. Throws when the writers' own accounts do not fit together. */
export function truthOf(transactions: readonly Transaction[]): Truth {
  const facts = new Map<string, Fact[]>();
  for (const { outcome, writes, begunAt, endedAt } of transactions) {
    if (outcome === 'unknown') throw new Error('The outcome of each transaction must be found out first');
    if (outcome === 'rolled back') continue;
    for (const write of writes) {
      const ofKey = facts.get(write.key) ?? [];
      ofKey.push({ ...write, begunAt, endedAt });
      facts.set(write.key, ofKey);
    }
  }
  const places = new Map<string, number>();
  for (const ofKey of facts.values()) {
    ofKey.sort(inOrder);
    ofKey.forEach((fact, place) => {
      checkFollows(fact, ofKey[place - 1]);
      places.set(nameOf(fact), place);
    });
  }
  return { facts, placeOf: (write) => places.get(nameOf(write)) ?? -1 };
}

export function nameOf({ key, op, life, version, value }: Write): string {
  return `${key} ${op} ${life}.${version} "${value}"`;
}

function inOrder(a: Write, b: Write): number {
  return a.life - b.life || a.version - b.version || Number(a.op === 'DELETE') - Number(b.op === 'DELETE');
}

function checkFollows(fact: Write, previous: Write | undefined): void {
  const begins = fact.version === 1 && fact.op === 'UPSERT' && (!previous || previous.op === 'DELETE');
  const goesOn =
    previous?.op === 'UPSERT' &&
    previous.life === fact.life &&
    fact.version === previous.version + (fact.op === 'UPSERT' ? 1 : 0);
  if (begins || goesOn) return;
  throw new Error(`Of one row, ${nameOf(fact)} cannot follow ${previous ? nameOf(previous) : 'nothing'}`);
}
