/** What one subscriber knows of each row while it goes through its events, and where that cannot be. */
import { parseCursor } from '../../../platform/feed/cursor.ts';
import type { Received, Session, Subscriber, Violation, ViolationKind, Write } from './history.ts';
import { type Fact, nameOf, type Truth } from './truth.ts';

/** A row's place in its history, as the subscriber was told. */
interface Known {
  /** Place of the last change told; -1 when none was. */
  place: number;
  /** Set when a whole snapshot lacked the row: it was away at some place from `place` on, at this time at the latest. */
  awayAt: number | null;
  /** Set when it may have been there, but older than all that the snapshot holds. */
  mayBeOlder?: boolean;
}

const UNTOLD: Known = { place: -1, awayAt: null };

export class Listening {
  private readonly truth: Truth;
  private readonly subscriber: Subscriber;
  readonly violations: Violation[] = [];
  changes = 0;
  /**
   * Times that it was told to begin anew although it had a cursor to go on from: one that holds under every leader, and
   * not only for its own snapshot.
   */
  readonly resyncs: string[] = [];
  private known = new Map<string, Known>();
  /** Rows of the snapshot that is under way; null once it is whole. */
  private snapshot: Set<string> | null = null;
  /** Snapshots of this session were read later. */
  private askedAt = 0;
  /** The last cursor leads on; without one a subscriber has to begin anew. */
  private mayResume = false;
  private lastCursor = '';

  constructor(truth: Truth, subscriber: Subscriber) {
    this.truth = truth;
    this.subscriber = subscriber;
  }

  follow(session: Session): void {
    this.askedAt = session.startedAt;
    if (session.after === null) {
      this.known.clear();
      this.beginSnapshot();
    } else if (parseCursor(session.after) === null) {
      this.mayResume = false;
      this.snapshot = null;
    }
    this.lastCursor = session.after ?? '';
    for (const event of session.events) {
      this.take(event);
      this.lastCursor = event.cursor;
    }
  }

  /** Everything written must have arrived by now. */
  finish(): void {
    for (const [key, facts] of this.truth.facts) {
      if (!this.subscriber.concerns(key)) continue;
      const known = this.known.get(key) ?? UNTOLD;
      const rest = facts.slice(known.place + 1);
      const last = rest.at(-1);
      const missing = rest.find((fact) => !this.maySkip(known, fact));
      if (missing && this.subscriber.mode === 'lossless') {
        this.report('lost', `${nameOf(missing)} never arrived`);
      } else if (
        last &&
        !known.mayBeOlder &&
        !(isAway(last) && (known.awayAt !== null || isAway(facts[known.place])))
      ) {
        this.report('lost', `the row's last state ${nameOf(last)} never arrived`);
      }
    }
  }

  private take(event: Received): void {
    const { kind, write } = event;
    if (!this.mayResume && kind !== 'RESYNC') {
      this.report('grammar', `${kind} where a RESYNC had to come: the subscriber had no cursor to go on from`);
      this.mayResume = true;
    }
    const hasItem = kind !== 'PROGRESS' && kind !== 'RESYNC';
    if (hasItem !== (write !== null)) {
      this.report('grammar', `${kind} ${hasItem ? 'without' : 'with'} an item at ${event.cursor}`);
    } else if (write && !this.subscriber.concerns(write.key)) {
      this.report('phantom', `${nameOf(write)} was not asked for`);
    } else if (kind === 'RESYNC') {
      const isOfSnapshot = this.snapshot !== null || parseCursor(this.lastCursor)?.mask !== undefined;
      if (this.mayResume && !isOfSnapshot) this.resyncs.push(`${this.subscriber.name} after ${this.lastCursor}`);
      this.beginSnapshot();
    } else if (kind === 'PROGRESS') {
      if (this.snapshot) this.endSnapshot(event.at);
    } else if (write && kind === 'SNAPSHOT') {
      this.takeItem(write);
    } else if (write) {
      this.takeChange({ ...write, op: kind as Write['op'] });
    }
  }

  private beginSnapshot(): void {
    this.snapshot = new Set();
    this.mayResume = true;
  }

  private takeItem(write: Write): void {
    const name = nameOf(write);
    const place = this.truth.placeOf(write);
    if (!this.snapshot) this.report('grammar', `SNAPSHOT of ${name} after the snapshot was whole`);
    else if (this.snapshot.has(write.key)) this.report('repeated', `${name} within one snapshot`);
    this.snapshot?.add(write.key);
    if (place < 0) {
      this.report('phantom', `SNAPSHOT of ${name}, which was never committed`);
      return;
    }
    if (place < this.floorOf(write.key)) {
      this.report('stale snapshot', `${name} is older than what was known when it was asked for`);
    }
    this.known.set(write.key, { place, awayAt: null });
  }

  /** Rows that a whole snapshot lacks were away when it was read, or older than those that it holds at most. */
  private endSnapshot(now: number): void {
    const listed = this.snapshot ?? new Set();
    const isFull = listed.size === this.subscriber.snapshotRows;
    this.snapshot = null;
    for (const [key, facts] of this.truth.facts) {
      if (listed.has(key) || !this.subscriber.concerns(key)) continue;
      const floor = this.floorOf(key);
      let place = floor;
      while (!isAway(facts[place]) && (facts[place + 1]?.begunAt ?? Number.POSITIVE_INFINITY) <= now) place++;
      if (!isFull && !isAway(facts[place])) {
        this.report('stale snapshot', `a snapshot lacks ${nameOf(facts[floor] as Fact)}, which was there`);
      }
      this.known.set(key, { place: isFull ? floor : place, awayAt: now, mayBeOlder: isFull });
    }
  }

  /** The place that a snapshot read after `askedAt` must have reached. */
  private floorOf(key: string): number {
    const facts = this.truth.facts.get(key) ?? [];
    const acknowledged = facts.findLastIndex((fact) => fact.endedAt < this.askedAt);
    return Math.max(acknowledged, this.known.get(key)?.place ?? -1);
  }

  private takeChange(write: Write): void {
    this.changes++;
    const name = nameOf(write);
    const place = this.truth.placeOf(write);
    const facts = this.truth.facts.get(write.key) ?? [];
    const known = this.known.get(write.key) ?? UNTOLD;
    if (this.snapshot) this.report('grammar', `${name} before the snapshot was whole`);
    if (place < 0) {
      this.report('phantom', `${name}, which was never committed`);
    } else if (place < known.place) {
      this.report('inverted', `${name} arrived after ${nameOf(facts[known.place] as Fact)}`);
    } else {
      if (place === known.place) this.report('repeated', `${name} arrived again`);
      else if (this.subscriber.mode === 'lossless') this.checkNext(known, place, facts);
      this.known.set(write.key, { place, awayAt: null });
    }
  }

  private checkNext(known: Known, place: number, facts: readonly Fact[]): void {
    const skipped = facts.slice(known.place + 1, place);
    const missing = skipped.find((fact) => !this.maySkip(known, fact));
    const name = nameOf(facts[place] as Fact);
    if (missing) this.report('lost', `${name} arrived without ${nameOf(missing)} before it`);
    else if (skipped.length > 0 && !isAway(skipped.at(-1)))
      this.report('lost', `${name} arrived for a row that the snapshot lacked`);
  }

  /** A change made while the snapshot was read may be in it: the row that it lacked may have come and gone before. */
  private maySkip({ awayAt }: Known, fact: Fact): boolean {
    return awayAt !== null && fact.begunAt <= awayAt;
  }

  private report(kind: ViolationKind, detail: string): void {
    this.violations.push({ kind, subscriber: this.subscriber.name, detail });
  }
}

/** Whether a snapshot lacks the row: before its first change, after its deletion, or in a state that none lists. */
function isAway(fact: Fact | undefined): boolean {
  return !fact || fact.op === 'DELETE' || fact.isUnlisted === true;
}
