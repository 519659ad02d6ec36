/** The benchmark's child processes, as their parent sees them. */
import { fork } from 'node:child_process';
import { Agent } from 'node:http';
import type { Question, Reply, Role } from './contender.ts';
import type { Sample } from './measure.ts';
import { portfolioRequest } from './portfolio.ts';
import { post } from './post.ts';

export interface Contender {
  /** Where the subgraphs of a process of subgraphs listen. */
  urls: Record<string, string>;
  /** CPU used since the process began. */
  cpuMs(): Promise<number>;
  /** Lets the process ask its own gateway, or only what that asks the subgraphs, with no socket in between. */
  runInside(requests: number, options?: { subgraphsAlone: boolean }): Promise<Sample>;
  /** The answer to the nth request over HTTP. */
  post(n: number): Promise<string>;
  stop(): Promise<void>;
}

export async function startContender(role: Role): Promise<Contender> {
  const child = fork(new URL('./contender.ts', import.meta.url), [JSON.stringify(role)], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const reply = () =>
    new Promise<Reply>((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`A contender ended with status ${code}`));
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message as Reply);
      });
    });
  const asked = (question: Question) => {
    child.send(question);
    return reply();
  };
  const { ready } = (await reply()) as Extract<Reply, { ready: unknown }>;
  const agent = new Agent({ keepAlive: true });
  const url = `http://127.0.0.1:${ready.port ?? 0}/graphql`;
  return {
    urls: ready.urls ?? {},
    cpuMs: async () => ((await asked({ usage: true })) as { cpuMs: number }).cpuMs,
    runInside: async (requests, { subgraphsAlone } = { subgraphsAlone: false }) =>
      ((await asked({ run: { requests, subgraphsAlone } })) as { sample: Sample }).sample,
    post: (n) => post(url, agent, JSON.stringify(portfolioRequest(role.source, n))),
    async stop() {
      agent.destroy();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
