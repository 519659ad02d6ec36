/**
 * Subscriptions to changes, shared. Each client begins on an upstream of its own, since its snapshot, or what it missed,
 * is its own; once it has come to where the others are, it shares their upstream: one subscription at the subgraph, one
 * completion by other domains and one text an event, however many clients there are.
 */
import type { ExecutionResult } from 'graphql';
import { unavailable } from '../../platform/errors.ts';
import { type Cursor, parseCursor } from '../../platform/feed/cursor.ts';
import { isStream } from '../../platform/streams.ts';
import { limitExceeded } from '../errors.ts';
import type { LiveLimits } from '../limits.ts';
import { createCounters, type LiveCounters } from './counters.ts';
import { Group } from './group.ts';
import { Member, type Sharing } from './member.ts';
import { Pipeline } from './pipeline.ts';
import type { LiveSource } from './source.ts';
import { Upstream } from './upstream.ts';

export interface Live {
  /** The client's stream, or the subgraph's refusal. */
  subscribe(source: LiveSource): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** Ends every stream, those of callers in this process too. */
  close(): void;
  /** What is held now. */
  counters(): Readonly<LiveCounters>;
}

export function createLive(limits: LiveLimits): Live {
  const groups = new Map<string, Group>();
  const members = new Set<Member>();
  const counters = createCounters();
  let isClosed = false;

  function pipelineOf(
    source: LiveSource,
    after: string | undefined,
    stream?: AsyncIterable<ExecutionResult>,
  ): Pipeline {
    const parts = { source, counters, retryMs: limits.retryMs };
    return new Pipeline(parts, new Upstream(parts, after, stream));
  }

  function share(key: string, pipeline: Pipeline, place: Cursor): Group {
    const onOver = (group: Group) => {
      if (groups.get(key) === group) groups.delete(key);
    };
    const { tailEntries, tailBytes } = limits;
    const group = new Group({ pipeline, counters, tailEntries, tailBytes, onOver, onKeep: keepWithin }, place);
    groups.set(key, group);
    return group;
  }

  /** What all groups keep together is bounded at the cost of the one that keeps most. */
  function keepWithin(): void {
    while (counters.retainedBytes > limits.retainedBytes) {
      const largest = largestOf(groups.values());
      if (!largest) return; // the rest is kept by groups that have ended, for members that still take it
      largest.evictSlowest();
    }
  }

  function memberOf(source: LiveSource, own?: Pipeline): Member {
    const member = new Member(sharing, source, own);
    members.add(member);
    return member;
  }

  const sharing: Sharing = {
    open: pipelineOf,
    groupOf: (key) => groups.get(key),
    share,
    onEnd(member) {
      members.delete(member);
      counters.members--;
    },
  };

  return {
    counters: () => ({ ...counters }),
    close() {
      isClosed = true;
      for (const member of members) void member.return();
    },
    async subscribe(source) {
      if (isClosed) return { errors: [unavailable(source.domain)] };
      if (counters.members >= limits.subscriptions) return { errors: [tooMany(limits.subscriptions)] };
      counters.members++;
      const group = groups.get(source.key);
      const place = source.after === undefined ? null : parseCursor(source.after);
      if (group && place && place.mask === undefined && group.covers(place)) {
        const member = memberOf(source);
        member.join(group, place);
        return member;
      }
      let answer: ExecutionResult | AsyncIterable<ExecutionResult> | undefined;
      try {
        answer = await source.open(source.after);
      } finally {
        if (!isStream(answer)) counters.members--;
      }
      if (!isStream<ExecutionResult>(answer)) return answer;
      counters.opened++;
      return memberOf(source, pipelineOf(source, source.after, answer));
    },
  };
}

function largestOf(groups: Iterable<Group>): Group | undefined {
  let largest: Group | undefined;
  for (const group of groups) if (group.bytes > (largest?.bytes ?? 0)) largest = group;
  return largest;
}

function tooMany(max: number) {
  const message = `The gateway carries at most ${max} subscriptions at once. Try again later.`;
  return limitExceeded(message, { name: 'subscriptions', max });
}
