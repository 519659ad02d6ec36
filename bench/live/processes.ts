/** Processes of the benchmark: a parent asks, a child answers. */
import { fork } from 'node:child_process';

/** What a child can be asked; each method takes one argument at most. */
// biome-ignore lint/suspicious/noExplicitAny: each child names its own arguments and answers
export type Methods = Record<string, (argument: any) => unknown>;

type Argument<Method> = Method extends () => unknown
  ? []
  : Method extends (argument: infer Given) => unknown
    ? [Given]
    : [];
type Answer<Method> = Method extends (...given: never[]) => infer Given ? Awaited<Given> : never;

export interface Child<Of extends Methods> {
  pid: number;
  ask<Name extends keyof Of & string>(name: Name, ...argument: Argument<Of[Name]>): Promise<Answer<Of[Name]>>;
  stop(): Promise<void>;
}

interface Question {
  id: number;
  name: string;
  argument: unknown;
}

type Reply = { id: number; answer: unknown } | { id: number; error: string };

/** Starts a program of this folder; `role` is what `roleOfThisProcess` gives there. */
export function startChild<Of extends Methods>(program: string, role: object): Child<Of> {
  const child = fork(new URL(program, import.meta.url), [JSON.stringify(role)], {
    env: { ...process.env, NODE_ENV: 'production' },
    execArgv: [...process.execArgv, '--expose-gc'],
  });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let asked = 0;
  let gone: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      gone = new Error(`${program} ended with ${code ?? signal}`);
      for (const { reject } of waiting.values()) reject(gone);
      resolve();
    });
  });
  child.on('message', (reply: Reply) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) asker?.reject(new Error(`${program}: ${reply.error}`));
    else asker?.resolve(reply.answer as never);
  });
  return {
    pid: child.pid as number,
    ask: (name, ...[argument]) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone);
        const id = asked++;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument } satisfies Question);
      }),
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

export function roleOfThisProcess<Role>(): Role {
  return JSON.parse(process.argv[2] ?? '{}') as Role;
}

/** Answers the parent until it goes. */
export function answerParent(methods: Methods): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, name, argument }: Question) => {
    Promise.resolve()
      .then(() => methods[name]?.(argument))
      .then(
        (answer) => process.send?.({ id, answer } satisfies Reply),
        (error: Error) => process.send?.({ id, error: error.stack ?? error.message } satisfies Reply),
      );
  });
}
