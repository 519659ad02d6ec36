/** Reads through a graph, and judges each answer by what had been committed when its feed was last complete there. */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { parse } from 'graphql';
import type { Subgraph } from '../../../platform/subgraph.ts';
import type { Random } from '../history/random.ts';
import type { State, Strategy, Writer } from './writer.ts';

const ROW = parse('query ($id: ID!) { strategy(id: $id) { realizedPnl account { accountId } } }');
const LIST = parse(`query ($id: ID!) {
  portfolio(accountId: $id) { totalRealizedPnl strategies(first: 100, sortBy: NAME, sortOrder: ASC) { nodes { strategyId realizedPnl } } }
}`);

interface Question {
  document: typeof ROW;
  id: string;
  /** The parts of an answer that are read apart, by the state that they show. */
  partsOf(state: State): Readonly<Record<string, unknown>>;
  partsIn(data: never): Readonly<Record<string, unknown>>;
}

export interface Judged {
  reads: number;
  /** A sentence of each part of an answer that showed what was older than the feed's lag. */
  stale: string[];
}

/** Asks until the signal. @throws Error when the graph answers with an error */
export async function runReader(
  replica: Subgraph,
  writers: readonly Writer[],
  random: Random,
  signal: AbortSignal,
): Promise<Judged> {
  const judged: Judged = { reads: 0, stale: [] };
  while (!signal.aborted) {
    await othersTurn(); // what is cached is answered without a pause in which a tick could arrive
    const writer = random.pick(writers);
    const question = random.chance(0.5)
      ? rowQuestion(random.pick(writer.strategyIds))
      : listQuestion(random.pick(writer.accountIds));
    const completeAt = replica.feed.hub.completeAt;
    const since = Math.max(
      0,
      writer.states.findLastIndex(({ committedAt }) => committedAt < completeAt),
    );
    const { document, id } = question;
    const answer = await replica.execute({ document, variables: { id }, headers: {} });
    if (!('data' in answer) || answer.errors) throw new Error(`No answer: ${JSON.stringify(answer)}`);
    const possible = writer.states.slice(since).map((state) => question.partsOf(state));
    for (const [part, value] of Object.entries(question.partsIn(answer.data as never))) {
      judged.reads++;
      const text = JSON.stringify(value);
      if (possible.some((parts) => JSON.stringify(parts[part]) === text)) continue;
      judged.stale.push(
        `${part} of ${id} is ${text}, though the feed had brought ${JSON.stringify(possible[0]?.[part])}`,
      );
    }
  }
  return judged;
}

function rowQuestion(id: string): Question {
  return {
    document: ROW,
    id,
    partsOf: ({ strategies }) => {
      const found = strategies.get(id);
      return { row: found ? [String(found.realizedPnl), found.accountId] : null };
    },
    partsIn: ({ strategy }: { strategy: { realizedPnl: string; account: { accountId: string } } | null }) => ({
      row: strategy && [strategy.realizedPnl, strategy.account.accountId],
    }),
  };
}

interface Portfolio {
  totalRealizedPnl: string;
  strategies: { nodes: { strategyId: string; realizedPnl: string }[] };
}

function listQuestion(id: string): Question {
  return {
    document: LIST,
    id,
    partsOf: ({ strategies }) => {
      const own = [...strategies.values()].filter(({ accountId }) => accountId === id).sort(byName);
      return {
        list: own.map(({ strategyId, realizedPnl }) => [strategyId, String(realizedPnl)]),
        total: String(own.reduce((sum, { realizedPnl }) => sum + realizedPnl, 0)),
      };
    },
    partsIn: ({ portfolio }: { portfolio: Portfolio }) => ({
      list: portfolio.strategies.nodes.map(({ strategyId, realizedPnl }) => [strategyId, realizedPnl]),
      total: portfolio.totalRealizedPnl,
    }),
  };
}

function byName(a: Strategy, b: Strategy): number {
  return a.strategyId < b.strategyId ? -1 : 1;
}
