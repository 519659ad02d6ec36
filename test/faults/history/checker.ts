/**
 * Judges what subscribers received by what was committed. Pure: it takes the two accounts and gives every way in which
 * they do not fit; an empty list is a pass.
 */
import { checkCursors } from './cursor-order.ts';
import type { Subscriber, Transaction, Violation } from './history.ts';
import { Listening } from './listening.ts';
import { truthOf } from './truth.ts';

/** A broken feed breaks thousands of promises; the first of each kind and subscriber tell enough. */
const TOLD_OF_EACH = 10;

export interface Verdict {
  violations: Violation[];
  /** Changes received in all, snapshots not counted. */
  changes: number;
  /** Times that subscribers were told to begin anew although they had a cursor to go on from. */
  resyncs: string[];
}

export function check(transactions: readonly Transaction[], subscribers: readonly Subscriber[]): Verdict {
  const verdict: Verdict = { violations: checkCursors(subscribers), changes: 0, resyncs: [] };
  for (const topic of new Set(subscribers.map((subscriber) => subscriber.topic))) {
    const truth = truthOf(transactions.filter((transaction) => transaction.topic === topic));
    for (const subscriber of subscribers) {
      if (subscriber.topic !== topic) continue;
      const listening = new Listening(truth, subscriber);
      for (const session of subscriber.sessions) listening.follow(session);
      if (subscriber.isSettled) listening.finish();
      verdict.violations.push(...firstOfEachKind(listening.violations));
      verdict.changes += listening.changes;
      verdict.resyncs.push(...listening.resyncs);
    }
  }
  return verdict;
}

function firstOfEachKind(violations: readonly Violation[]): Violation[] {
  const counts = new Map<string, number>();
  return violations.filter(({ kind }) => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return (counts.get(kind) ?? 0) <= TOLD_OF_EACH;
  });
}
