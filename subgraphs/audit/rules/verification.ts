/** Whether a chain is as it was sealed, and the first place where it is not. */
import { GENESIS_HASH, type Head, hashOf, type SealedEvent } from './chain.ts';

export const BREAK_KINDS = ['content', 'order', 'gap', 'truncation', 'forged'] as const;
export type BreakKind = (typeof BREAK_KINDS)[number];

export interface Break {
  sequence: number;
  kind: BreakKind;
  detail: string;
}

/** A head that was written down outside the database. */
export interface Anchor {
  sequence: number;
  hash: string;
}

export interface Verdict {
  isValid: boolean;
  checkedCount: number;
  firstBreak: Break | null;
}

export interface VerificationScope {
  /** First number to be looked at. */
  from: number;
  /** Last number; null for all there is. */
  to: number | null;
  /** What the stored head of the chain says. */
  head: Pick<Head, 'sequence' | 'hash'>;
  anchors: readonly Anchor[];
  /** Hash of the event before `from`, where that is not the first. */
  previousHash?: string | undefined;
}

/** An event that does not follow the one before it; whether what it does follow lies elsewhere is still to be seen. */
interface Suspicion {
  row: SealedEvent;
  isOwn: boolean;
}

/** Looks at a chain from its first row on, a part at a time. */
export class ChainCheck {
  readonly scope: VerificationScope;
  checkedCount = 0;
  private found: Break | null = null;
  private suspicion: Suspicion | null = null;
  private expected: number;
  private hash: string;
  private readonly anchors: Map<number, Set<string>>;
  private readonly furthest: Anchor;

  constructor(scope: VerificationScope) {
    this.scope = scope;
    this.expected = scope.from;
    this.hash = scope.previousHash ?? GENESIS_HASH;
    this.anchors = new Map();
    let furthest: Anchor = { sequence: 0, hash: GENESIS_HASH };
    for (const anchor of scope.anchors) {
      this.anchors.set(anchor.sequence, (this.anchors.get(anchor.sequence) ?? new Set()).add(anchor.hash));
      if (anchor.sequence > furthest.sequence) furthest = anchor;
    }
    this.furthest = furthest;
  }

  /** Rows by sequence, ascending. Says whether there is any use in going on. */
  take(rows: readonly SealedEvent[]): boolean {
    for (const row of rows) {
      if (!this.takeOne(row)) return false;
    }
    return true;
  }

  /** The verdict after the last row. `isElsewhere` says whether some row of the chain has that hash. */
  async end(isElsewhere: (hash: string) => boolean | Promise<boolean>): Promise<Verdict> {
    if (this.suspicion) this.found = await this.judge(this.suspicion, isElsewhere);
    this.found ??= this.lookAtEnd();
    return { isValid: this.found === null, checkedCount: this.checkedCount, firstBreak: this.found };
  }

  private takeOne(row: SealedEvent): boolean {
    const sequence = Number(row.sequence);
    if (sequence < this.expected) return this.stop(sequence, 'forged', 'Two events have this number.');
    if (sequence > this.expected) {
      const missing = sequence - this.expected;
      return this.stop(this.expected, 'gap', `${missing} ${missing === 1 ? 'event is' : 'events are'} missing.`);
    }
    const isOwn = hashOf(row.prevHash, row) === row.hash;
    if (row.prevHash !== this.hash) {
      this.suspicion = { row, isOwn };
      return false;
    }
    if (!isOwn) return this.stop(sequence, 'content', 'What the event says is not what was sealed.');
    const anchored = this.anchors.get(sequence);
    if (anchored && !(anchored.size === 1 && anchored.has(row.hash))) {
      return this.stop(sequence, 'forged', 'Its hash is not the one that was anchored: the chain was sealed anew.');
    }
    this.hash = row.hash;
    this.expected = sequence + 1;
    this.checkedCount++;
    return true;
  }

  private stop(sequence: number, kind: BreakKind, detail: string): false {
    this.found = { sequence, kind, detail };
    return false;
  }

  private async judge(
    { row, isOwn }: Suspicion,
    isElsewhere: (hash: string) => boolean | Promise<boolean>,
  ): Promise<Break> {
    const sequence = Number(row.sequence);
    if (row.prevHash !== GENESIS_HASH && (await isElsewhere(row.prevHash))) {
      return { sequence, kind: 'order', detail: 'The event was sealed after another one than the one before it.' };
    }
    if (!isOwn) {
      return {
        sequence,
        kind: 'content',
        detail: 'The event is not what was sealed, nor does it follow the one before.',
      };
    }
    const before = Math.max(sequence - 1, this.scope.from);
    return { sequence: before, kind: 'forged', detail: 'The event that follows was sealed after another one.' };
  }

  /** Rows have ended: where they should, and as whoever wrote them down last has said? */
  private lookAtEnd(): Break | null {
    const { to, head } = this.scope;
    const last = this.expected - 1;
    const known = Math.max(head.sequence, this.furthest.sequence);
    const wanted = to === null ? known : Math.min(to, known);
    if (last < wanted) {
      const detail = `The chain had ${known} events, and ends after ${last}.`;
      return { sequence: this.expected, kind: 'truncation', detail };
    }
    if (to !== null && last < head.sequence) return null;
    if (last > head.sequence) {
      return { sequence: head.sequence + 1, kind: 'forged', detail: 'There are events after the head of the chain.' };
    }
    if (last >= this.scope.from && last === head.sequence && head.hash !== this.hash) {
      return { sequence: last, kind: 'forged', detail: 'The head of the chain has another hash than its last event.' };
    }
    return null;
  }
}

/** The verdict on rows that are at hand whole. */
export function verifyRows(rows: readonly SealedEvent[], scope: VerificationScope): Promise<Verdict> {
  const ordered = rows.toSorted((a, b) => Number(a.sequence) - Number(b.sequence));
  const check = new ChainCheck(scope);
  check.take(ordered);
  const hashes = new Set(ordered.map(({ hash }) => hash));
  return check.end((hash) => hashes.has(hash));
}
