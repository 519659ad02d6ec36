/**
 * What time alone changes: sources fall silent, breakers close, scenarios go on. All of it follows from rows and the
 * clock; the process that leads the feed writes it down, so that subscribers everywhere are told. Nothing is asked of the
 * database while nothing is under way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import type { Listener } from '../../platform/feed/hub.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import type { Context, Tx } from './context.ts';
import { sweepScenarios } from './scenarios/scenario-commands.ts';
import { sweepBreakers } from './sources/breaker-sweep.ts';
import { sweepSources } from './sources/source-health.ts';

/** Writes down what time has changed. Gives whether it may change more. */
type Sweep = (tx: Tx, now: Date, traceId: string) => Promise<boolean>;

const SWEEPS: Record<string, Sweep> = { sweepSources, sweepBreakers, sweepScenarios };

/** Whose changes give time something to do. */
const RELATIONS = ['data_sources', 'consensus_prices', 'market_scenarios'];

const SWEEP_EVERY_MS = 1_000; // 1 second

export function startUpkeep(parts: ServiceParts): { stop(): Promise<void> } {
  const { db, feed, log } = parts;
  const stopping = new AbortController();
  let wake = Promise.withResolvers<void>();
  let isAlive = false;
  const listeners = RELATIONS.map(
    (relation): Listener => ({
      relation,
      offer: () => {
        isAlive = true;
        wake.resolve();
      },
      settle: () => undefined,
      reset: () => {
        isAlive = true;
        wake.resolve();
      },
      beat: () => undefined,
    }),
  );
  for (const listener of listeners) feed.hub.attach(listener);

  async function sweep(): Promise<boolean> {
    const context = parts.context() as Context;
    let isMore = false;
    for (const [operation, work] of Object.entries(SWEEPS)) {
      const { isMore: more, errors } = await command<Context['prisma'], CommandResult & { isMore: boolean }>(
        context,
        operation,
        {},
        async (tx) => ({ isMore: await work(tx, context.now(), context.traceId) }),
      );
      isMore ||= more ?? errors.length > 0;
    }
    return isMore;
  }

  /** What was under way before this process began. */
  async function look(): Promise<void> {
    await feed.ready();
    const found = await db.one<{ isAlive: boolean }>(sql`
      select exists (select from data_sources where state <> 'DOWN')
          or exists (select from consensus_prices where breaker = 'TRIPPED')
          or exists (select from market_scenarios where state in ('SCHEDULED', 'RUNNING', 'RECOVERING')) as is_alive`);
    isAlive ||= found?.isAlive ?? true;
  }

  async function run(): Promise<void> {
    await look().catch(() => {
      isAlive = true;
    });
    while (!stopping.signal.aborted) {
      if (isAlive && feed.isLeader()) {
        wake = Promise.withResolvers();
        isAlive = false;
        try {
          if (await sweep()) isAlive = true;
        } catch (error) {
          isAlive = true;
          log.warn({ err: error }, 'what time has changed was not written down; it will be with the next look');
        }
      }
      if (!isAlive) await wake.promise;
      await sleep(SWEEP_EVERY_MS, undefined, stopping).catch(() => undefined);
    }
  }

  const running = run();
  return {
    async stop() {
      for (const listener of listeners) feed.hub.detach(listener);
      stopping.abort();
      wake.resolve();
      await running;
    },
  };
}
