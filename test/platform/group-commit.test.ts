/** Calls that wait for their turn in a group. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SubgraphContext } from '../../platform/context.ts';
import { GroupCommit } from '../../platform/group-commit.ts';

type Context = SubgraphContext<unknown, unknown>;

const context = { domain: 'exchange' } as Context;

describe('a call that waits', () => {
  it('is refused when its turn comes too late, and nothing is done for it', async () => {
    const done: number[] = [];
    const group = new GroupCommit<Context, unknown, { n: number }, never, { n: number }>({
      operation: 'count',
      weigh: () => 1,
      limit: 1,
      waitingLimit: 10,
      groupsAtOnce: 1,
      patienceMs: 100,
      async atOnce(calls) {
        await sleep(200);
        done.push(...calls.map(({ input }) => input.n));
        return calls.map(({ input: { n } }) => ({ n, errors: [] }));
      },
      prepare: async () => [],
      work: async () => [],
    });
    const answers = await Promise.all([1, 2, 3].map((n) => group.run(context, { n })));
    expect(answers.map(({ errors }) => errors[0]?.code)).toEqual([
      undefined,
      'DOMAIN_UNAVAILABLE',
      'DOMAIN_UNAVAILABLE',
    ]);
    expect(await group.run(context, { n: 4 })).toMatchObject({ n: 4, errors: [] });
    expect(done).toEqual([1, 4]);
  });
});
