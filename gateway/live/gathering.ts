/**
 * Entity fetches of live events. The changes of one tick arrive in one turn of the event loop, each in a stream of its
 * own, and each asks the same subgraph for an entity or two: those that ask in the same words are one call.
 */
import { type ExecutionResult, GraphQLError } from 'graphql';
import { copyTree, type Tree } from '../planner/tree.ts';
import type { SubgraphCall, SubgraphExecutor } from '../transport/subgraph-call.ts';

/** Entities in one call at most. */
const ENTITIES = 500;

interface Asker {
  /** Where its entities are among those of the call. */
  numbers: number[];
  answer(result: ExecutionResult): void;
}

interface Gathered {
  call: SubgraphCall;
  representations: Tree[];
  known: Map<string, number>;
  askers: Asker[];
}

/** The executor, asked once for what several ask of it in one turn. Calls under way are never joined: they may be too early. */
export function gathering(executor: SubgraphExecutor): SubgraphExecutor {
  const waiting = new Map<string, Gathered>();

  function send(key: string, gathered: Gathered): void {
    if (waiting.get(key) !== gathered) return; // it was full and has gone already
    waiting.delete(key);
    const { call, representations, askers } = gathered;
    const variables = { ...call.variables, representations };
    void executor({ ...call, variables }).then((result) => {
      for (const { numbers, answer } of askers) answer(shareOf(result as ExecutionResult, numbers, askers.length > 1));
    });
  }

  return (call) => {
    const { representations, ...others } = call.variables ?? {};
    if (call.kind !== 'query' || !Array.isArray(representations)) return executor(call);
    const key = JSON.stringify([call.text, others, call.scope.headers.authorization]);
    let gathered = waiting.get(key);
    if (!gathered) {
      const begun: Gathered = { call, representations: [], known: new Map(), askers: [] };
      waiting.set(key, begun);
      setImmediate(send, key, begun);
      gathered = begun;
    }
    const numbers = (representations as Tree[]).map((representation) => numberOf(representation, gathered));
    const { askers } = gathered;
    const answered = new Promise<ExecutionResult>((answer) => askers.push({ numbers, answer }));
    if (gathered.representations.length >= ENTITIES) send(key, gathered);
    return answered;
  };
}

function numberOf(representation: Tree, { representations, known }: Gathered): number {
  const identity = JSON.stringify(representation);
  const number = known.get(identity) ?? representations.push(representation) - 1;
  known.set(identity, number);
  return number;
}

/** What one asker gets: its own entities, and the errors of those and of the call as a whole. */
function shareOf(
  { data, errors = [] }: ExecutionResult,
  numbers: readonly number[],
  isShared: boolean,
): ExecutionResult {
  const all = data?._entities;
  const entities = Array.isArray(all)
    ? numbers.map((number) => (isShared ? copyTree(all[number]) : all[number]))
    : null;
  const own = errors.flatMap((error) => placed(error, numbers));
  return { data: entities && { _entities: entities }, ...(own.length > 0 && { errors: own }) };
}

function placed(error: GraphQLError, numbers: readonly number[]): GraphQLError[] {
  const [root, number, ...rest] = error.path ?? [];
  if (root !== '_entities' || typeof number !== 'number') return [error];
  const { message, originalError, extensions } = error;
  return numbers.flatMap((own, index) => {
    if (own !== number) return [];
    const path = [root, index, ...rest];
    return [new GraphQLError(message, { path, originalError: originalError ?? null, extensions })];
  });
}
