/** A client in the gateway's process that writes down what it is told. */
import { setTimeout as delay, setImmediate as nextRound } from 'node:timers/promises';
import type { ExecutionResult } from 'graphql';
import type { ToyGraph } from './toy-graph.ts';

interface Change {
  kind: string;
  cursor: string;
  position?: { positionId: string; quantity: string } | null;
}

export interface Follower {
  received: ExecutionResult[];
  changes(): Change[];
  kinds(): string[];
  /** Of the positions it was told, in order. */
  quantities(): number[];
  /** Whether the stream ended by itself. */
  isOver(): boolean;
  leave(): void;
  /** Takes nothing until `resume`. */
  pause(): void;
  resume(): void;
}

export function follow(
  graph: Pick<ToyGraph, 'gateway'>,
  document: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Follower {
  const stream = graph.gateway.subscribe(document, variables, { headers });
  const received: ExecutionResult[] = [];
  let isOver = false;
  let gate: Promise<void> | undefined;
  let open = () => {};
  const run = async () => {
    for await (const result of stream) {
      received.push(result);
      await gate;
    }
    isOver = true;
  };
  void run();
  const changes = () => received.flatMap(({ data }) => (Object.values(data ?? {})[0] as Change | null) ?? []);
  return {
    received,
    changes,
    kinds: () => changes().map(({ kind }) => kind),
    quantities: () => changes().flatMap(({ position }) => (position ? [Number(position.quantity)] : [])),
    isOver: () => isOver,
    leave: () => void stream.return?.(),
    pause() {
      gate ??= new Promise((resolve) => {
        open = resolve;
      });
    },
    resume() {
      gate = undefined;
      open();
    },
  };
}

/** Waits until the condition holds, for at most twenty seconds. */
export async function settled(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 100 && !condition(); round++) await nextRound();
  for (let waited = 0; waited < 20_000 && !condition(); waited += 5) await delay(5);
  if (!condition()) throw new Error(`It did not come to this: ${condition}`);
}
