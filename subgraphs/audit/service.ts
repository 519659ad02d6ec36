/** What the audit runs beside its requests: it follows every other domain, correlates, anchors and puts old days aside. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../platform/database/sql.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { DOMAINS } from '../../platform/domains.ts';
import type { ServiceParts } from '../../platform/subgraph.ts';
import { Chains } from './chain/chains.ts';
import { Engine } from './correlation/engine.ts';
import { settings } from './settings.ts';
import { forgetDays } from './trail/append.ts';
import { archiveBefore } from './trail/archive.ts';
import { type FollowedState, Follower } from './trail/follower.ts';

/** How often is looked whether this process leads, and what is due. */
const LOOK_MS = 500;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Days for which partitions are there ahead. */
const DAYS_AHEAD = 3;

export interface AuditService {
  chains: Chains;
  engine: Engine;
  /** How each domain is followed; empty where another process does. */
  followed(): FollowedState[];
  /** Whether everything committed until then has been sealed; waits for it so long. */
  caughtUp(until: string, patienceMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export function startAudit(parts: ServiceParts): AuditService {
  return new Audit(parts);
}

class Audit implements AuditService {
  readonly chains: Chains;
  readonly engine: Engine;
  private readonly parts: ServiceParts;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private followers: Follower[] = [];
  private anchoredAt = Date.now();
  private tidiedAt = 0;

  constructor(parts: ServiceParts) {
    this.parts = parts;
    this.chains = new Chains(parts);
    this.engine = new Engine(parts);
    this.running = this.run();
  }

  followed(): FollowedState[] {
    return this.followers.map(({ state }) => ({ ...state }));
  }

  async caughtUp(until: string, patienceMs: number): Promise<boolean> {
    const end = Date.now() + patienceMs;
    const isBehind = ({ state }: Follower) => !state.toldUntil || Date.parse(state.toldUntil) < Date.parse(until);
    while (this.followers.length > 0) {
      if (!this.followers.some(isBehind)) {
        await this.engine.settled();
        return true;
      }
      if (Date.now() >= end || this.stopping.signal.aborted) return false;
      await sleep(20);
    }
    return false;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.leave();
    await this.engine.stop();
    await this.chains.anchors.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const isLeader = this.parts.feed.isLeader();
      if (isLeader && settings.follow && this.followers.length === 0) this.begin();
      if (!isLeader && this.followers.length > 0) await this.leave();
      if (isLeader) await this.see();
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private begin(): void {
    const others = DOMAINS.filter((domain) => domain !== 'audit');
    this.followers = others.map((domain) => new Follower(this.parts, domain, () => this.engine.touch()));
    this.engine.touch(); // whoever led before may have left something
  }

  private async leave(): Promise<void> {
    const left = this.followers;
    this.followers = [];
    await Promise.all(left.map((follower) => follower.stop()));
  }

  /** What is due by the clock. Whatever fails is done the next time. */
  private async see(): Promise<void> {
    const { log } = this.parts;
    const { anchorMinutes } = settings;
    try {
      if (anchorMinutes > 0 && Date.now() - this.anchoredAt >= anchorMinutes * MINUTE_MS) await this.anchor();
      if (Date.now() - this.tidiedAt >= HOUR_MS) await this.tidy();
    } catch (error) {
      log.warn({ err: error }, 'the audit could not do what is due; it will');
    }
  }

  /** Looks at what has come since the last anchor, and then writes the heads down. */
  private async anchor(): Promise<void> {
    this.anchoredAt = Date.now();
    for (const { chainId, isCurrent } of await this.chains.list()) {
      if (!isCurrent) continue;
      const last = (await this.chains.anchors.read(chainId)).at(-1);
      await this.chains.verify(chainId, Math.max(last?.sequence ?? 1, 1));
    }
    await this.chains.anchor();
  }

  private async tidy(): Promise<void> {
    const { db, now } = this.parts;
    this.tidiedAt = Date.now();
    const days = Array.from({ length: DAYS_AHEAD }, (_, i) => new Date(now().getTime() + i * DAY_MS).toISOString());
    await db.query(sql`select ensure_event_partitions(${days}::timestamptz[]) as made`);
    if (settings.archiveDays === 0) return;
    const before = new Date(now().getTime() - settings.archiveDays * DAY_MS).toISOString();
    await inTransaction(db, (tx) => archiveBefore(tx, before, 'system'));
    forgetDays(db);
  }
}
