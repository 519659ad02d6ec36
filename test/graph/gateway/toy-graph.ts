/** The gateway over the toys, called in process or listening on a port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, type Gateway, type GatewayOptions } from '../../../gateway/gateway.ts';
import { createLogger } from '../../../platform/log.ts';
import { type ServedToy, serveToy } from './serve-toy.ts';
import { createToys, type Toys } from './toy-subgraphs.ts';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
  data?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  errors?: { message: string; path?: (string | number)[]; locations?: unknown; extensions: any }[];
  extensions?: Record<string, unknown>;
}

export interface ToyGraph {
  toys: Toys;
  gateway: Gateway;
  /** Where the toys listen, by name; empty when they run in process. */
  served: Map<string, ServedToy>;
  /** What the gateway logged. */
  logged: Record<string, unknown>[];
  run(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  /** Starts listening; gives the origin. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface ToyGraphOptions extends Partial<Omit<GatewayOptions, 'subgraphs' | 'log'>> {
  toys?: Toys;
  /** Whether the toys are reached over HTTP. @default false */
  spreadOut?: boolean;
}

export async function startToyGraph(options: ToyGraphOptions = {}): Promise<ToyGraph> {
  const { toys = createToys(), spreadOut = false, ...gatewayOptions } = options;
  const served = new Map<string, ServedToy>();
  if (spreadOut) for (const toy of toys.all) served.set(toy.name, await serveToy(toy));
  const subgraphs = toys.all.map((toy) => {
    const url = served.get(toy.name)?.url;
    return url === undefined ? toy : { name: toy.name, sdl: toy.sdl, url };
  });
  const { log, logged } = recordingLogger();
  const gateway = await createGateway({ subgraphs, log, ...gatewayOptions });
  return {
    toys,
    gateway,
    served,
    logged,
    async run(query, variables, headers = {}) {
      return JSON.parse(JSON.stringify(await gateway.execute(query, variables, { headers }))) as Answer;
    },
    async listen() {
      const server = createServer(gateway.handler);
      gateway.attachWebSocket(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    async close() {
      await gateway.close();
      await Promise.all([...served.values()].map((toy) => toy.close()));
    },
  };
}

function recordingLogger() {
  const logged: Record<string, unknown>[] = [];
  const log = createLogger({ level: 'silent', service: 'test' });
  for (const level of ['error', 'warn', 'info'] as const) {
    log[level] = (fields: unknown, message?: string) => void logged.push({ level, message, ...(fields as object) });
  }
  return { log, logged };
}
