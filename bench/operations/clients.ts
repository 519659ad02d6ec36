/** Clients of the graph over HTTP, each with a connection of its own. */
import { Agent } from 'node:http';
import { post } from '../post.ts';

// biome-ignore lint/suspicious/noExplicitAny: each operation knows what it asked for
export type Data = any;

export interface Client {
  number: number;
  /** The answer's data. Throws when it has errors. */
  ask(document: string, variables?: object): Promise<Data>;
}

export function clientsOf(url: string, count: number): Client[] {
  return Array.from({ length: count }, (_, number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return {
      number,
      async ask(document, variables = {}) {
        const text = await post(url, agent, JSON.stringify({ query: document, variables }));
        const { data, errors } = JSON.parse(text);
        if (errors) throw new Error(errors[0].message);
        return data;
      },
    };
  });
}
