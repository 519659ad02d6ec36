/** Prisma's adapter for a domain's pool, whose transactions may take place on a connection that a command has already. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlQueryable, Transaction } from '@prisma/driver-adapter-utils';

/** What a transaction's statements go through. */
export interface Host {
  query(config: unknown): Promise<unknown>;
  /** Whether Prisma uses it. */
  isTaken?: boolean;
}

const hosts = new AsyncLocalStorage<Host>();

/**
 * Begins a transaction of Prisma's by `begin`; its statements are sent through the host, who alone begins, commits and
 * rolls back. Throws where the client has another adapter than ours.
 */
export async function within<Result>(host: Host, begin: () => Promise<Result>): Promise<Result> {
  const result = await hosts.run(host, begin);
  if (!host.isTaken) throw new Error('This Prisma client begins transactions of its own: give it a DomainAdapter.');
  return result;
}

export class DomainAdapter extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    const begin = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolationLevel) => {
      const host = hosts.getStore();
      if (!host) return begin(isolationLevel);
      host.isTaken = true;
      return guest(adapter, host);
    };
    return adapter;
  }
}

/** The adapter's own way with statements and errors, on the host's connection. */
function guest(adapter: SqlQueryable, host: Host): Transaction {
  const queryable: SqlQueryable = Object.create(adapter, { client: { value: host } });
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    options: { usePhantomQuery: true },
    queryRaw: (query) => queryable.queryRaw(query),
    executeRaw: (query) => queryable.executeRaw(query),
    commit: async () => undefined,
    rollback: async () => undefined,
  };
}
