/** Another service: writes strategies by plain SQL, and remembers every state it has committed and when that was known. */
import pg from 'pg';
import { schemaOf } from '../../../platform/domains.ts';
import type { Random } from '../history/random.ts';

export interface Strategy {
  strategyId: string;
  accountId: string;
  /** Unlike that of every other state of it. */
  realizedPnl: number;
}

/** What the writer's strategies were from one commit to the next. */
export interface State {
  strategies: ReadonlyMap<string, Strategy>;
  /** It was committed by then, in milliseconds of the database's clock; infinite while that is not known. */
  committedAt: number;
}

export interface Writer {
  strategyIds: readonly string[];
  /** Accounts in which only this writer's strategies are. */
  accountIds: readonly string[];
  /** Every state in order; the last may not be committed yet. */
  states: readonly State[];
  /** Writes until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

const STRATEGIES = 6;
const ACCOUNTS = 2;

const PUT = `
  insert into strategies (strategy_id, name, strategy_type, account_id, instruments, realized_pnl)
  values ($1, $1, 'custom', $2, '{BTC-USD}', $3)
  on conflict (strategy_id) do update set account_id = excluded.account_id, realized_pnl = excluded.realized_pnl`;
const REMOVE = 'delete from strategies where strategy_id = $1';

export interface WriterOptions {
  /** URL of trading's role. */
  url: string;
  number: number;
  random: Random;
  /** Mean time between two transactions. */
  pauseMs: number;
}

export async function createWriter({ url, number, random, pauseMs }: WriterOptions): Promise<Writer> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schemaOf('trading')}` });
  await client.connect();
  const strategyIds = Array.from({ length: STRATEGIES }, (_, i) => `s${number}-${i}`);
  const accountIds = Array.from(
    { length: ACCOUNTS },
    (_, i) => `00000000-0000-4000-a000-${String(number * 10 + i).padStart(12, '0')}`,
  );
  const states: State[] = [{ strategies: new Map(), committedAt: 0 }];
  let written = 0;

  /** A few strategies at once, some of them more than once: put into one account or the other, or removed. */
  async function transact(): Promise<void> {
    const strategies = new Map(states.at(-1)?.strategies);
    await client.query('begin');
    for (let count = random.between(1, 3); count > 0; count--) {
      const strategyId = random.pick(strategyIds);
      if (random.chance(0.15)) {
        await client.query(REMOVE, [strategyId]);
        strategies.delete(strategyId);
        continue;
      }
      const strategy = { strategyId, accountId: random.pick(accountIds), realizedPnl: ++written };
      await client.query(PUT, [strategyId, strategy.accountId, strategy.realizedPnl]);
      strategies.set(strategyId, strategy);
    }
    const state: State = { strategies, committedAt: Number.POSITIVE_INFINITY };
    states.push(state); // from here on it may be seen
    await client.query('commit');
    const { rows } = await client.query('select extract(epoch from clock_timestamp()) * 1000 as at');
    state.committedAt = Number(rows[0].at);
  }

  return {
    strategyIds,
    accountIds,
    states,
    async run(signal) {
      while (!signal.aborted) {
        await transact();
        await new Promise((resolve) => setTimeout(resolve, random.between(0, 2 * pauseMs)));
      }
      await client.end();
    },
  };
}
