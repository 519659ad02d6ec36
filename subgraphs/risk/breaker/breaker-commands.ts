/** Opening and closing the circuit breaker by hand. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { boundedText } from '../../../platform/texts.ts';
import { type Context, statementsOf } from '../context.ts';
import type { ResetCircuitBreakerInput, TriggerCircuitBreakerInput } from '../generated/resolvers.ts';
import { actor } from '../references.ts';
import { BREAKER_ID, lockBreaker, step } from './breaker.ts';

export type BreakerPayload = CommandPayload<{ breakerId: string }>;

const REASON_LENGTH = 2_000;

/** Opens it. */
export function triggerCircuitBreaker(context: Context, input: TriggerCircuitBreakerInput): Promise<BreakerPayload> {
  return move(context, 'triggerCircuitBreaker', input, 'open');
}

/** Closes it. */
export function resetCircuitBreaker(context: Context, input: ResetCircuitBreakerInput): Promise<BreakerPayload> {
  return move(context, 'resetCircuitBreaker', input, 'closed');
}

function move(context: Context, operation: string, input: TriggerCircuitBreakerInput, to: 'open' | 'closed') {
  return command(context, operation, input, async (tx): Promise<{ breakerId: string }> => {
    const by = actor(input.by);
    const reason = boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    const statements = statementsOf(tx);
    const { state } = await lockBreaker(statements);
    const cause = to === 'open' ? ('manual' as const) : null;
    await step(statements, state, { to, cause, reason, value: null, by, traceId: context.traceId }, context.now());
    return { breakerId: BREAKER_ID };
  });
}
