/** Results are text already when they are sent: they are put into their message as they are, not made text again. */
import type { ExecutionResult, FormattedExecutionResult } from 'graphql';
import { textOf } from '../live/live-result.ts';

/** Stands for a result within a message. */
class Payload {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What graphql-ws is given instead of the result. */
export function payloadOf(result: ExecutionResult): FormattedExecutionResult {
  return new Payload(textOf(result)) as object;
}

/** The result of the message that is being made text. A message is sent in the same turn. */
let replaced: string | undefined;

/** For JSON.stringify: leaves the place of a result empty. */
export function replacePayload(_key: string, value: unknown): unknown {
  if (!(value instanceof Payload)) return value;
  replaced = value.text;
  return null;
}

/** The message with its result in place; a message that has one ends with it. */
export function withPayload(message: string): string {
  if (replaced === undefined) return message;
  const whole = `${message.slice(0, -'null}'.length)}${replaced}}`;
  replaced = undefined;
  return whole;
}
