/**
 * The gate before the root fields of a domain, through which every operation passes while chaos is on: it holds them up,
 * refuses a share of them, or all of them. What is about faults, the feed and the health passes whatever lasts, since a
 * domain that is down must be able to be looked at and to be healed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { failed } from '../command.ts';
import { refuse, unavailable } from '../errors.ts';
import { endOn, inTurn, isStream, leave } from '../streams.ts';
import type { ActiveFaults } from './active-faults.ts';
import type { FaultRow } from './fault.ts';
import { fieldNamesOf, type StruckDomain } from './kinds.ts';
import type { ParametersOf } from './parameters.ts';

type Operation = 'Query' | 'Mutation';

/** A delay ends this much later at most than its fault. */
const DELAY_STEP_MS = 100;
const DRAIN_STEP_MS = 10;

export class Gate {
  private readonly domain: StruckDomain;
  private readonly faults: ActiveFaults;
  private readonly exempt: ReadonlySet<string>;
  private outage = new AbortController();
  private restart = new AbortController();
  private isShut = false;
  private isClosed = false;
  private inside = 0;

  constructor(domain: StruckDomain, faults: ActiveFaults) {
    this.domain = domain;
    this.faults = faults;
    this.exempt = new Set([...fieldNamesOf(domain), '_service']);
  }

  /** Puts the gate before the root fields of the schema. */
  guard(schema: GraphQLSchema): void {
    const roots = [
      ['Query', schema.getQueryType()],
      ['Mutation', schema.getMutationType()],
    ] as const;
    for (const [operation, type] of roots) {
      for (const field of Object.values(type?.getFields() ?? {})) {
        if (!this.exempt.has(field.name)) this.guardField(operation, field);
      }
    }
    for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
      this.guardStream(field, this.exempt.has(field.name));
    }
  }

  /** From now on nothing passes, and the subscriptions that have passed break. */
  shut(): void {
    if (this.isShut) return;
    this.isShut = true;
    this.outage.abort();
  }

  /** Breaks every subscription, as the end of a process does: who was told comes back with its cursor. */
  cut(): void {
    this.outage.abort();
    this.restart.abort();
    this.restart = new AbortController();
  }

  open(): void {
    if (!this.isShut) return;
    this.isShut = false;
    this.outage = new AbortController();
  }

  /** Waits until what has passed is answered, at most so long. */
  async drain(patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.inside > 0 && performance.now() < until) await sleep(DRAIN_STEP_MS);
  }

  /** What is held up goes on at once. */
  close(): void {
    this.isClosed = true;
  }

  private guardField(operation: Operation, field: GraphQLField<unknown, unknown>): void {
    const { name, resolve = defaultFieldResolver } = field;
    const refusal = operation === 'Mutation' ? refusalOf(field, this.domain) : undefined;
    field.resolve = async (source, args, context, info) => {
      await this.holdUp(name);
      if (this.isShut) throw unavailable(this.domain);
      if (refusal && this.isRejected(name)) return refusal();
      this.inside++;
      try {
        return await resolve(source, args, context, info);
      } finally {
        this.inside--;
      }
    };
  }

  private guardStream(field: GraphQLField<unknown, unknown>, isExempt: boolean): void {
    const { subscribe } = field;
    if (!subscribe) return;
    field.subscribe = async (source, args, context, info) => {
      if (this.isShut && !isExempt) throw unavailable(this.domain);
      const { signal } = isExempt ? this.restart : this.outage;
      const stream = await subscribe(source, args, context, info);
      return isStream(stream) ? this.breakOn(signal, stream) : stream;
    };
  }

  /** The stream until the signal aborts, which it tells as an error. */
  private breakOn(signal: AbortSignal, stream: AsyncIterable<unknown>): AsyncIterableIterator<unknown, undefined> {
    const events = endOn(signal, stream);
    return inTurn(
      async () => {
        const next = await events.next();
        if (next.done && signal.aborted) throw unavailable(this.domain);
        return next;
      },
      () => leave(events),
    );
  }

  /** Waits as long as the slowest of its delays lasts. */
  private async holdUp(name: string): Promise<void> {
    const drawn = this.faults
      .of('LATENCY')
      .filter((fault) => isAbout(fault, name))
      .map(delayOf);
    if (drawn.length === 0) return;
    const until = performance.now() + Math.max(...drawn);
    for (;;) {
      const leftMs = until - performance.now();
      if (leftMs <= 0 || this.isClosed || !this.faults.of('LATENCY').some((fault) => isAbout(fault, name))) return;
      await sleep(Math.min(leftMs, DELAY_STEP_MS));
    }
  }

  private isRejected(name: string): boolean {
    return this.faults
      .of('REJECTION')
      .filter((fault) => isAbout(fault, name))
      .some(({ parameters }) => Math.random() < Number((parameters as ParametersOf<'REJECTION'>).share));
  }
}

/** How a command says that it was not carried out: in its payload, or as an error where the payload must hold more. */
function refusalOf({ type }: GraphQLField<unknown, unknown>, domain: StruckDomain): () => unknown {
  const payload = getNamedType(type);
  const fields = isObjectType(payload) ? Object.values(payload.getFields()) : [];
  const { errors } = isObjectType(payload) ? payload.getFields() : {};
  const others = fields.filter((field) => field !== errors && isNonNullType(field.type) && !field.resolve);
  if (errors && others.length === 0) return () => failed(refuse.domainUnavailable(domain));
  return () => {
    throw unavailable(domain);
  };
}

function isAbout({ parameters }: FaultRow, name: string): boolean {
  const { operations } = parameters as ParametersOf<'LATENCY'>;
  return operations === undefined || operations.includes(name);
}

function delayOf({ parameters }: FaultRow): number {
  const { delayMs, jitterMs = 0 } = parameters as ParametersOf<'LATENCY'>;
  return delayMs + Math.random() * jitterMs;
}
