/**
 * The port of managed trades (domain.md §9.2), and the operations that are the same over every backend. A backend reads
 * records and writes one where it still has the version that was read; what may happen to a trade is decided here, by
 * the rules. PostgreSQL is the journal, which commands write in their transaction; Redis and SQLite are replicas of it.
 */
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { differences } from './backends/fields.ts';
import type { CloseReason, ManagedTrade } from './rules/managed-trade.ts';
import { type Adjustments, adjust, close, newTrade, type TradeTerms } from './rules/steps.ts';

export type BackendName = 'POSTGRESQL' | 'REDIS' | 'SQLITE';

export interface TradeTotals {
  total: number;
  open: number;
  closed: number;
  /** Sum of the closed trades' net P&L, in quote units as they stand. */
  totalPnlUsd: string;
}

export interface TradeBackend {
  readonly name: BackendName;
  /** Makes what the backend needs, or finds it there. */
  initialize(): Promise<void>;
  /** The trade, or null. Throws on a record that cannot be read. */
  read(tradeId: string): Promise<ManagedTrade | null>;
  /** Stores the trade where its version is still `from`, 0 for none; gives it as stored, or null when it is another. */
  write(trade: ManagedTrade, from: number): Promise<ManagedTrade | null>;
  /** The open set, newest entry first. */
  open(symbol?: string): Promise<ManagedTrade[]>;
  /** Every trade, newest entry first. */
  list(limit: number, offset: number): Promise<ManagedTrade[]>;
  totals(): Promise<TradeTotals>;
}

/** What became of a trade that a replica was given. */
export type PutOutcome = 'written' | 'unchanged' | 'replaced' | 'older';

/** A backend that is kept in step with the journal. */
export interface TradeReplica extends TradeBackend {
  /** In the order of the ids, null for what is not there or cannot be read. */
  readMany(tradeIds: readonly string[]): Promise<(ManagedTrade | null)[]>;
  ids(): Promise<string[]>;
  /**
   * Stores each trade unless what is there has a higher version. One of the same version and other content is
   * `replaced`.
   */
  put(trades: readonly ManagedTrade[]): Promise<PutOutcome[]>;
  remove(tradeIds: readonly string[]): Promise<void>;
  /** Forgets everything: for tests. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface TradeStatistics extends TradeTotals {
  backend: BackendName;
  isInitialized: boolean;
  error: string | null;
}

export interface Closing {
  exitPrice: string;
  exitTime: string;
  reason: CloseReason;
  /** @default "0" */
  exitFee?: string;
}

/** Every method but `initialize` and `getStats` rejects with a NotInitialised before `initialize` has resolved. */
export interface TradeStore {
  /** May be called again. */
  initialize(): Promise<void>;
  /**
   * Stores a new trade. The same content once more does nothing.
   * @throws Refusal (validation) when a rule is broken; (conflict) when the id stands for other content
   */
  saveNewTrade(terms: TradeTerms): Promise<ManagedTrade>;
  /**
   * Changes fields of a trade. False when there is none with that id, or nothing to change.
   * @throws Refusal (validation, invalid transition) when a rule is broken
   */
  updateTrade(tradeId: string, fields: Adjustments): Promise<boolean>;
  /** The trade, or null. Throws on a record that cannot be read. */
  getTradeById(tradeId: string): Promise<ManagedTrade | null>;
  /** The open set, newest entry first. */
  getOpenTrades(symbol?: string): Promise<ManagedTrade[]>;
  /**
   * Closes an open trade and computes its results. False when there is none with that id.
   * @throws Refusal (invalid transition) unless it is open
   */
  markTradeClosed(tradeId: string, closing: Closing): Promise<boolean>;
  getStats(): Promise<TradeStatistics>;
  /** Every trade, newest entry first. */
  listAllTrades(limit?: number, offset?: number): Promise<ManagedTrade[]>;
  /** Takes one step with a trade, whatever others do meanwhile. Null when there is none with that id. */
  change(tradeId: string, step: (trade: ManagedTrade) => ManagedTrade): Promise<ManagedTrade | null>;
}

export class NotInitialised extends Error {
  constructor() {
    super('The trade store was not initialised.');
    this.name = 'NotInitialised';
  }
}

const LIST_LIMIT = 100;

/** Writers that meet at one trade take turns; so many of them at once are a fault. */
const ATTEMPTS = 100;

/** What tells nothing of a trade's content: who stored it, and when. */
const BOOKKEEPING = new Set(['createdAt', 'updatedAt', 'version', 'traceId', 'archivedAt']);

/** @param now the clock, in milliseconds */
export function tradeStore(backend: TradeBackend, now: () => number = Date.now): TradeStore {
  let isInitialized = false;
  const instant = () => new Date(now()).toISOString();
  const ready = () => {
    if (!isInitialized) throw new NotInitialised();
    return backend;
  };

  async function change(tradeId: string, step: (trade: ManagedTrade) => ManagedTrade): Promise<ManagedTrade | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const trade = await ready().read(tradeId);
      if (trade === null) return null;
      const next = { ...step(trade), version: trade.version + 1, updatedAt: instant() };
      const stored = await backend.write(next, trade.version);
      if (stored) return stored;
    }
    throw new Error(`managed trade "${tradeId}" was changed ${ATTEMPTS} times while it was to be written`);
  }

  return {
    change,
    async initialize() {
      await backend.initialize();
      isInitialized = true;
    },
    async saveNewTrade(terms) {
      ready();
      const trade = newTrade(terms, instant());
      const stored = await backend.write(trade, 0);
      if (stored) return stored;
      const known = (await backend.read(trade.tradeId)) as ManagedTrade;
      if (differences(known, trade).every((field) => BOOKKEEPING.has(field))) return known;
      throw refuse.conflict(known.version, `A managed trade with id "${trade.tradeId}" exists already.`, [
        'input',
        'tradeId',
      ]);
    },
    async updateTrade(tradeId, fields) {
      ready();
      if (Object.keys(fields).length === 0) return false;
      return (await change(tradeId, (trade) => adjust(trade, fields))) !== null;
    },
    getTradeById: async (tradeId) => ready().read(tradeId),
    getOpenTrades: async (symbol) => ready().open(symbol),
    async markTradeClosed(tradeId, { exitPrice, exitTime, reason, exitFee = '0' }) {
      const closing = { price: dec(exitPrice), time: exitTime, reason, fee: dec(exitFee) };
      return (await change(tradeId, (trade) => close(trade, closing))) !== null;
    },
    async getStats() {
      const { name } = backend;
      if (isInitialized) return { ...(await backend.totals()), backend: name, isInitialized, error: null };
      const { message: error } = new NotInitialised();
      return { total: 0, open: 0, closed: 0, totalPnlUsd: '0', backend: name, isInitialized, error };
    },
    listAllTrades: async (limit = LIST_LIMIT, offset = 0) => ready().list(limit, offset),
  };
}
