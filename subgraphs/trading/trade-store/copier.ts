/** Copies the journal of managed trades to one replica: each change as it comes, and everything when something is amiss. */
import type { Database } from '../../../platform/database/database.ts';
import { isUnreachable } from '../../../platform/database/database-error.ts';
import type { Logger } from '../../../platform/log.ts';
import { reconcile } from './comparison.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';
import type { TradeReplica } from './trade-store.ts';

/** So often it is looked whether the replica is there and whole. */
const LOOK_MS = 1_000; // 1 second

export interface CopierOptions {
  replica: TradeReplica;
  db: Database;
  log: Logger;
  /** Whether changes are offered: what is read of the journal from then on can miss none. */
  isReached(): boolean;
  /** Throws when the replica does not answer; says whether it holds all that it was ever given. */
  look(): Promise<boolean>;
  /** Called when the replica holds everything, after it did not. */
  onWhole(): Promise<void>;
  /** Called after each round: with what the replica said where it failed, with null where it did not. */
  onRound(error: Error | null): void;
}

export class Copier {
  private readonly options: CopierOptions;
  /** The latest of each trade that has changed since the last round. */
  private changes = new Map<string, ManagedTrade>();
  /** Whether the replica holds everything, but for what is on its way. */
  isWhole = false;
  private isStopping = false;
  private wake: () => void = () => undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly running: Promise<void>;

  constructor(options: CopierOptions) {
    this.options = options;
    this.timer = setInterval(() => this.wake(), LOOK_MS).unref();
    this.running = this.run();
  }

  offer(trade: ManagedTrade): void {
    this.changes.set(trade.tradeId, trade);
    this.wake();
  }

  /** The replica may have missed something. */
  distrust(): void {
    this.isWhole = false;
    this.wake();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.isStopping = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      try {
        await this.round();
        this.options.onRound(null);
      } catch (error) {
        this.isWhole = false;
        if (!isUnreachable(error)) this.options.onRound(error as Error); // else it is the journal that is away
      }
      if (this.changes.size === 0 || !this.isWhole) await woken;
    }
  }

  private async round(): Promise<void> {
    const { replica, db, log, isReached, look, onWhole } = this.options;
    const trades = [...this.changes.values()];
    this.changes = new Map();
    if (!(await look())) this.isWhole = false;
    if (trades.length > 0) await replica.put(trades);
    if (this.isWhole || !isReached()) return;
    this.isWhole = true; // unless it is distrusted meanwhile
    await reconcile(db, replica, log);
    if (this.isWhole) await onWhole();
  }
}
