/** Clients of the graph over HTTP, each with a connection of its own. */
import { Agent, request } from 'node:http';

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

function post(url: string, agent: Agent, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
