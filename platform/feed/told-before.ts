/**
 * Ticks are committed without waiting for the disk. When PostgreSQL crashes, the last of them are lost, though not the
 * changes in them: those come again, in a tick of another number, and are not told twice. They are known by themselves
 * and not by their transaction's number alone, which a crash may give to another.
 */
import type { RowChange, TickPart } from './change.ts';
import { type Snapshot, sees } from './snapshot.ts';

export class ToldBefore {
  private readonly changes = new Set<string>();

  /** Remembers which of the parts' changes the snapshot, the last that is stored, does not see. */
  remember(parts: readonly TickPart[], stored: Snapshot): void {
    this.forget();
    for (const part of parts) {
      for (const change of part.changes) if (!sees(stored, change.xid)) this.changes.add(identityOf(change));
    }
  }

  without(changes: readonly RowChange[]): readonly RowChange[] {
    if (this.changes.size === 0) return changes;
    return changes.filter((change) => !this.changes.delete(identityOf(change)));
  }

  forget(): void {
    this.changes.clear();
  }
}

function identityOf({ seq, xid, at }: RowChange): string {
  return `${seq} ${xid} ${at}`;
}
