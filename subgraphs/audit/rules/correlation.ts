/** Which events belong together, and how sure that is (domain.md §8.6). */

export interface CorrelationRule {
  ruleName: string;
  triggerType: string;
  triggerService: string | null;
  triggerMetadata: Record<string, unknown> | null;
  effectType: string;
  effectService: string | null;
  effectMetadata: Record<string, unknown> | null;
  maxDelayMs: number;
  /** From 0.7 to 1. */
  minConfidence: string;
  enabled: boolean;
}

/** What of an event decides. */
export interface Correlatable {
  eventId: string;
  /** RFC 3339. */
  timestamp: string;
  traceId: string;
  correlationId: string | null;
  causationId: string | null;
  serviceName: string;
  eventType: string;
  entityKey: string | null;
  tags: readonly string[];
  metadata: Record<string, unknown>;
  scenarioId: string | null;
}

/** Nothing less sure is kept. */
export const LEAST_CONFIDENCE = 0.7;

/** What ties events of two domains to one thing of the business. */
const SHARED = /^(account|symbol|strategy|order|settlement|venue):/;

/** The text in which * stands for any text, as a pattern of SQL's LIKE. */
export function likePattern(type: string): string {
  return type.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}

export function matchesType(pattern: string, type: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(type);
}

/** Whether the event can be the trigger of the rule. */
export function isTrigger(rule: CorrelationRule, event: Correlatable): boolean {
  return fits(event, rule.triggerType, rule.triggerService, rule.triggerMetadata);
}

/** Whether the event can be the effect of the rule. */
export function isEffect(rule: CorrelationRule, event: Correlatable): boolean {
  return fits(event, rule.effectType, rule.effectService, rule.effectMetadata);
}

function fits(
  event: Correlatable,
  type: string,
  service: string | null,
  metadata: Record<string, unknown> | null,
): boolean {
  if (!matchesType(type, event.eventType)) return false;
  if (service !== null && service !== event.serviceName) return false;
  return Object.entries(metadata ?? {}).every(
    ([key, value]) => JSON.stringify(event.metadata[key]) === JSON.stringify(value),
  );
}

/** Nanoseconds from one instant to another. */
export function delayNs(from: string, to: string): bigint {
  return nanoseconds(to) - nanoseconds(from);
}

function nanoseconds(instant: string): bigint {
  const fraction = /\.(\d+)/.exec(instant)?.[1] ?? '';
  const whole = BigInt(Date.parse(instant.replace(/\.\d+/, ''))) * 1_000_000n;
  return whole + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

/** Whether both are about one thing. */
export function shareEntity(a: Correlatable, b: Correlatable): boolean {
  if (a.entityKey !== null && a.entityKey === b.entityKey) return true;
  return a.tags.some((tag) => SHARED.test(tag) && b.tags.includes(tag));
}

/**
 * How sure it is that `trigger` has led to `effect` by the rule, from 0 to 1: 1 in one trace, 0.9 with one correlation id,
 * else less the later it came and 0.2 more where both are about one thing. Null where the rule does not let it count.
 */
export function confidenceOf(rule: CorrelationRule, trigger: Correlatable, effect: Correlatable): number | null {
  if (trigger.eventId === effect.eventId || !isTrigger(rule, trigger) || !isEffect(rule, effect)) return null;
  const delayMs = Number(delayNs(trigger.timestamp, effect.timestamp)) / 1e6;
  if (delayMs < 0 || delayMs > rule.maxDelayMs) return null;
  const confidence = rawConfidence(trigger, effect, delayMs / rule.maxDelayMs);
  return confidence >= Math.max(Number(rule.minConfidence), LEAST_CONFIDENCE) ? confidence : null;
}

function rawConfidence(trigger: Correlatable, effect: Correlatable, lateness: number): number {
  if (trigger.traceId === effect.traceId) return 1;
  if (trigger.correlationId !== null && trigger.correlationId === effect.correlationId) return 0.9;
  const base = 0.7 * (1 - lateness) + (shareEntity(trigger, effect) ? 0.2 : 0);
  return Math.round(base * 10_000) / 10_000;
}

/** The likeliest trigger of an effect: the surest, of those that are about the same thing, the latest. */
export function likeliestTrigger(
  rule: CorrelationRule,
  triggers: readonly Correlatable[],
  effect: Correlatable,
): { trigger: Correlatable; confidence: number } | null {
  let best: { trigger: Correlatable; confidence: number; isShared: boolean } | null = null;
  for (const trigger of triggers) {
    const confidence = confidenceOf(rule, trigger, effect);
    if (confidence === null) continue;
    const isShared = shareEntity(trigger, effect);
    const isBetter =
      best === null ||
      confidence > best.confidence ||
      (confidence === best.confidence && isShared && !best.isShared) ||
      (confidence === best.confidence && isShared === best.isShared && trigger.timestamp > best.trigger.timestamp);
    if (isBetter) best = { trigger, confidence, isShared };
  }
  return best;
}

/** How alike two sets are, from 0 to 1; two empty ones are not. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((one) => b.has(one)).length;
  const all = a.size + b.size - both;
  return all === 0 ? 0 : both / all;
}

/** The features by which events are compared: tags, and each value of the metadata. */
export function featuresOf({ tags, metadata }: Pick<Correlatable, 'tags' | 'metadata'>): Set<string> {
  return new Set([...tags, ...Object.entries(metadata).map(([key, value]) => `${key}=${JSON.stringify(value)}`)]);
}
