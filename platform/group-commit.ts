/**
 * Commands that share a transaction: what comes while others are being written is written together by the next. Each call
 * has its own outcome and its own idempotency key, and none is harmed by another: when a group fails, each of its calls
 * is carried out alone.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readTokenOf } from './cache/reading.ts';
import { type CommandPayload, type CommandResult, command, failed, replayed, type Transaction } from './command.ts';
import type { SubgraphContext } from './context.ts';
import { isUnreachable } from './database/database-error.ts';
import { sql } from './database/sql.ts';
import { Refusal, refuse, type UserError } from './errors.ts';
import { claimKeys, idempotencyKeyOf, keepAnswers, releaseKeys, requestHash } from './idempotency.ts';
import { BY_ROW } from './trace.ts';

export interface GroupedCommand<Context, Client, Input extends object, Ready, Result extends CommandResult> {
  operation: string;
  /** What a call counts against the limits. */
  weigh(input: Input): number;
  /** Weight of a transaction at most; a heavier call has one of its own, beside the groups. */
  limit: number;
  /** Weight that waits at most; what comes then is refused. */
  waitingLimit: number;
  /** A call that has waited for longer when its turn comes is refused; nothing was done for it. @default none is */
  patienceMs?: number;
  /** Reads and checks what the transaction need not, in the order of the calls; a Refusal ends its call. */
  prepare(calls: readonly GroupedCall<Context, Input>[]): Promise<(Ready | Refusal)[]>;
  /**
   * Carries out calls without a key by one statement, which is a transaction of its own, where that can be; else null, and
   * nothing is done.
   * @default never
   */
  atOnce?(calls: readonly GroupedCall<Context, Input>[]): Promise<CommandPayload<Result>[] | null>;
  /**
   * Carries the calls out, and gives their results in their order; a Refusal is its call's, for which nothing was done.
   * Rows that several calls write together name the trace of each in their `trace_id`.
   * @throws GoAlone when these calls can't be carried out together
   */
  work(tx: Transaction<Client>, ready: readonly Ready[]): Promise<(Result | Refusal)[]>;
  /** Groups under way at once: while one waits for the disk, the rows of the other are worked on. @default 2 */
  groupsAtOnce?: number;
  /** Is told of each transaction: how many calls shared it, and how long each has taken from its coming to its answer. */
  onWritten?(elapsedMs: readonly number[]): void;
}

export interface GroupedCall<Context, Input> {
  context: Context;
  input: Input;
}

const GROUPS_AT_ONCE = 2;

/** Says that the calls of a group are to be carried out one by one. */
export class GoAlone extends Error {
  constructor() {
    super('The calls of this group are carried out one by one');
    this.name = 'GoAlone';
  }
}

interface KeyedCall<Context, Input> extends GroupedCall<Context, Input> {
  key: string | null;
}

interface WaitingCall<Context, Input, Result> extends KeyedCall<Context, Input> {
  weight: number;
  since: number;
  resolve(payload: CommandPayload<Result>): void;
  reject(error: unknown): void;
}

interface Statements {
  $queryRaw<Rows>(statement: ReturnType<typeof sql>): Promise<Rows>;
  $executeRaw(statement: ReturnType<typeof sql>): Promise<number>;
}

export class GroupCommit<
  Context extends SubgraphContext<Client, unknown>,
  Client,
  Input extends object,
  Ready,
  Result extends CommandResult,
> {
  private readonly grouped: GroupedCommand<Context, Client, Input, Ready, Result>;
  private waiting: WaitingCall<Context, Input, Result>[] = [];
  private waitingWeight = 0;
  private underWay = 0;

  constructor(grouped: GroupedCommand<Context, Client, Input, Ready, Result>) {
    this.grouped = grouped;
  }

  /** Calls that wait for the next transaction. */
  get waitingCalls(): number {
    return this.waiting.length;
  }

  async run(context: Context, input: Input): Promise<CommandPayload<Result>> {
    const { weigh, limit, waitingLimit } = this.grouped;
    const weight = weigh(input);
    const since = performance.now();
    try {
      const key = idempotencyKeyOf(input);
      if (weight > limit) return await this.timed(since, this.alone({ context, input, key }));
      if (this.waitingWeight + weight > waitingLimit) throw refuse.domainUnavailable(context.domain);
      this.waitingWeight += weight;
      return await new Promise((resolve, reject) => {
        this.waiting.push({ context, input, key, weight, since, resolve, reject });
        if (this.underWay < (this.grouped.groupsAtOnce ?? GROUPS_AT_ONCE)) void this.writeAll();
      });
    } catch (error) {
      if (error instanceof Refusal) return failed<Result>(error);
      throw error;
    }
  }

  private async timed<Value>(since: number, value: Promise<Value>): Promise<Value> {
    const known = await value;
    this.grouped.onWritten?.([performance.now() - since]);
    return known;
  }

  /** Group after group, until nobody waits. */
  private async writeAll(): Promise<void> {
    this.underWay++;
    await nextTurn(); // what has come with the same packet of the network shares the first transaction
    while (this.waiting.length > 0) {
      const calls = this.take().filter((call) => !this.isRefused(call));
      if (calls.length > 0) await this.write(calls);
    }
    this.underWay--;
  }

  /** Who has waited too long may have gone, and is told that nothing was done. */
  private isRefused({ since, context, resolve }: WaitingCall<Context, Input, Result>): boolean {
    const { patienceMs = Number.POSITIVE_INFINITY } = this.grouped;
    const isLate = performance.now() - since > patienceMs;
    if (isLate) resolve(failed<Result>(refuse.domainUnavailable(context.domain)));
    return isLate;
  }

  /** The oldest calls that fit into a transaction; of those with one key the first. */
  private take(): WaitingCall<Context, Input, Result>[] {
    const taken: WaitingCall<Context, Input, Result>[] = [];
    const left: WaitingCall<Context, Input, Result>[] = [];
    const keys = new Set<string>();
    let weight = 0;
    for (const call of this.waiting) {
      const isTwin = call.key !== null && keys.has(call.key);
      if (isTwin || left.length > 0 || (taken.length > 0 && weight + call.weight > this.grouped.limit)) left.push(call);
      else {
        taken.push(call);
        weight += call.weight;
        if (call.key !== null) keys.add(call.key);
      }
    }
    this.waiting = left;
    this.waitingWeight -= weight;
    return taken;
  }

  /** Never rejects. */
  private async write(calls: readonly WaitingCall<Context, Input, Result>[]): Promise<void> {
    const first = calls[0];
    if (first && calls.length > 1) {
      try {
        const payloads = (await this.atOnce(calls)) ?? (await this.together(first.context, calls));
        for (const [i, call] of calls.entries()) call.resolve(payloads[i] as CommandPayload<Result>);
      } catch (error) {
        await this.oneByOne(calls, first.context, error);
      }
    } else for (const call of calls) await this.alone(call).then(call.resolve, call.reject);
    const now = performance.now();
    this.grouped.onWritten?.(calls.map(({ since }) => now - since));
  }

  /** Without the database nothing was done, and none of the calls need wait for it in turn. */
  private async oneByOne(
    calls: readonly WaitingCall<Context, Input, Result>[],
    { log, domain }: Context,
    error: unknown,
  ): Promise<void> {
    if (isUnreachable(error)) {
      for (const call of calls) call.resolve(failed<Result>(refuse.domainUnavailable(domain)));
      return;
    }
    if (!(error instanceof GoAlone)) {
      log.warn({ err: error, calls: calls.length }, 'a group failed; its calls are carried out alone');
    }
    for (const call of calls) if (!this.isRefused(call)) await this.alone(call).then(call.resolve, call.reject);
  }

  private async atOnce(calls: readonly KeyedCall<Context, Input>[]): Promise<CommandPayload<Result>[] | null> {
    const isKeyed = calls.some(({ key }) => key !== null);
    return isKeyed ? null : ((await this.grouped.atOnce?.(calls)) ?? null);
  }

  /** One call in a transaction of its own. */
  private async alone(call: KeyedCall<Context, Input>): Promise<CommandPayload<Result>> {
    const { operation, prepare, work } = this.grouped;
    try {
      const [payload] = (await this.atOnce([call])) ?? [];
      if (payload) return payload;
      const [ready] = await prepare([call]);
      if (ready instanceof Refusal) throw ready;
      return await command<Client, Result>(call.context, operation, call.input, async (tx) => {
        const [result] = await work(tx, [ready as Ready]);
        if (result instanceof Refusal) throw result;
        return result as Result;
      });
    } catch (error) {
      if (error instanceof Refusal) return failed<Result>(error);
      if (isUnreachable(error)) return failed<Result>(refuse.domainUnavailable(call.context.domain));
      throw error;
    }
  }

  private async together(
    context: Context,
    calls: readonly WaitingCall<Context, Input, Result>[],
  ): Promise<CommandPayload<Result>[]> {
    const { operation, prepare } = this.grouped;
    const prepared = await prepare(calls);
    const going = calls.flatMap((call, i) => {
      const ready = prepared[i] as Ready | Refusal;
      return ready instanceof Refusal ? [] : [{ call, ready }];
    });
    const group = await command<Client, { results: Map<object, Partial<CommandPayload<Result>>> }>(
      { ...context, traceparent: BY_ROW },
      operation,
      {},
      async (tx) => ({ results: await this.carryOut(tx, context, going) }),
    );
    const { errors, readToken = null } = group;
    if (errors[0] && errors[0].code !== 'DOMAIN_UNAVAILABLE') throw new GoAlone(); // it is one of them that is at fault
    return calls.map((call, i) => {
      const ready = prepared[i];
      if (ready instanceof Refusal) return failed<Result>(ready);
      const result = group.results?.get(call) ?? {};
      return { errors, readToken, ...result } as CommandPayload<Result>;
    });
  }

  /** What became of each call; those whose key is taken get what it stands for. */
  private async carryOut(
    tx: Transaction<Client>,
    { domain }: Context,
    going: readonly { call: WaitingCall<Context, Input, Result>; ready: Ready }[],
  ): Promise<Map<object, Partial<CommandPayload<Result>>>> {
    const { operation, work } = this.grouped;
    const statements = tx as unknown as Statements;
    const keyed = going.flatMap(({ call: { key, input } }) =>
      key === null ? [] : [{ key, operation, hash: requestHash(operation, input) }],
    );
    const taken = keyed.length === 0 ? new Map() : await claimKeys(statements, keyed);
    const fresh = going.filter(({ call: { key } }) => key === null || !taken.has(key));
    const done =
      fresh.length === 0
        ? []
        : await work(
            tx,
            fresh.map(({ ready }) => ready),
          );
    const results = new Map<object, Partial<CommandPayload<Result>>>(
      fresh.map(({ call }, i) => [call, payloadOf(done[i] as Result | Refusal)]),
    );
    if (keyed.length === 0) return results;
    const [now] = await statements.$queryRaw<{ xid: string }[]>(sql`select pg_current_xact_id()::text as xid`);
    const kept = { errors: [] as UserError[], readToken: readTokenOf(domain, Number(now?.xid)) };
    const answers = fresh.flatMap(({ call }) =>
      call.key === null ? [] : [{ key: call.key, payload: { ...kept, ...results.get(call) } as typeof kept }],
    );
    const [known, unknown] = [answers.filter(isKnown), answers.filter((answer) => !isKnown(answer))];
    if (known.length > 0) await keepAnswers(statements, known);
    if (unknown.length > 0)
      await releaseKeys(
        statements,
        unknown.map(({ key }) => key),
      ); // another time it may be done
    for (const { call } of going) {
      if (results.has(call)) continue;
      const hash = requestHash(operation, call.input);
      results.set(call, replay<Result>(call.key as string, hash, taken.get(call.key)));
    }
    return results;
  }
}

function payloadOf<Result extends CommandResult>(done: Result | Refusal): Partial<CommandPayload<Result>> {
  return done instanceof Refusal ? failed<Result>(done) : (done as Partial<CommandPayload<Result>>);
}

/** Whether it is an answer for ever. */
function isKnown({ payload }: { payload: { errors: readonly UserError[] } }): boolean {
  return payload.errors[0]?.code !== 'DOMAIN_UNAVAILABLE';
}

function replay<Result>(key: string, hash: string, kept: { hash: string; result: unknown }): CommandPayload<Result> {
  try {
    return replayed<Result>(key, hash, kept);
  } catch (error) {
    if (error instanceof Refusal) return failed<Result>(error);
    throw error;
  }
}
