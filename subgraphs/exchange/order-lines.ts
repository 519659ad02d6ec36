/** The lines in which orders wait for their books: one a book, as long as somebody waits in it. */
import type { CommandPayload } from '../../platform/command.ts';
import { GroupCommit } from '../../platform/group-commit.ts';
import type { Complaint } from '../../platform/health.ts';
import { RecentLags } from '../../platform/recent-lags.ts';
import type { PrismaClient } from '../../prisma/exchange/generated/client.ts';
import type { Context } from './context.ts';
import type { PlaceExchangeOrderInput } from './generated/resolvers.ts';
import { type PlacedOrder, placeOrders, prepareOrders, type ReadyOrder } from './placing.ts';

/** Orders that are placed together at most: the accounts of all of them are locked meanwhile. */
const GROUP_LIMIT = 50;
/** Orders that wait for one book at most: some ten seconds' work. */
const WAITING_LIMIT = 2_000;

/** As long as anybody waits for a connection; the database or market data lets them wait then, and their senders may have gone. */
const WAITING_PATIENCE_MS = 10_000; // 10 seconds

/** Whoever operates the graph should know that an order takes longer than this. */
const PATIENCE_MS = 1_000; // 1 second

type Line = GroupCommit<Context, PrismaClient, PlaceExchangeOrderInput, ReadyOrder, PlacedOrder>;

export class OrderLines {
  readonly #lines = new Map<string, { line: Line; callers: number }>();
  readonly #groupLimit: number;
  readonly #lags = new RecentLags();

  /** @param groupLimit orders that are placed together at most; 0 for each by itself */
  constructor(groupLimit = GROUP_LIMIT) {
    this.#groupLimit = groupLimit;
  }

  /** Waits in the line of the order's book until it is placed or refused. */
  async run(context: Context, input: PlaceExchangeOrderInput): Promise<CommandPayload<PlacedOrder>> {
    const name = input.symbol.trim().toUpperCase();
    const place = this.#lines.get(name) ?? { line: this.#open(), callers: 0 };
    this.#lines.set(name, place);
    place.callers++;
    try {
      return await place.line.run(context, input);
    } finally {
      place.callers--;
      if (place.callers === 0) this.#lines.delete(name);
    }
  }

  complaints(): Complaint[] {
    const [lagMs = null] = this.#lags.within(0.5);
    if (lagMs === null || lagMs <= PATIENCE_MS) return [];
    const waiting = [...this.#lines.values()].reduce((sum, { callers }) => sum + callers, 0);
    const reason = `Orders take ${Math.round(lagMs)} ms until they are placed; ${waiting} wait now.`;
    return [{ status: 'DEGRADED', reason }];
  }

  #open(): Line {
    return new GroupCommit({
      operation: 'placeExchangeOrder',
      weigh: () => 1,
      limit: this.#groupLimit,
      waitingLimit: WAITING_LIMIT,
      groupsAtOnce: 1,
      patienceMs: WAITING_PATIENCE_MS,
      prepare: prepareOrders,
      work: placeOrders,
      onWritten: (elapsedMs) => this.#lags.note(elapsedMs),
    });
  }
}
