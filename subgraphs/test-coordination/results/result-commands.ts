/** Results that others record for a run. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import type { Context, Tx } from '../context.ts';
import type { RecordTestResultInput, RecordTestResultsInput, TestResultInput } from '../generated/resolvers.ts';

export type ResultPayload = CommandPayload<{ resultIds: string[] }>;

const NAME_LENGTH = 255;
const TEXT_LENGTH = 2_000;
const BATCH_LIMIT = 500;

export function recordTestResult(context: Context, input: RecordTestResultInput): Promise<ResultPayload> {
  return command(context, 'recordTestResult', input, async (tx) => ({
    resultIds: await record(context, tx, input.runId, [input.result], () => ['input', 'result']),
  }));
}

export function recordTestResults(context: Context, input: RecordTestResultsInput): Promise<ResultPayload> {
  return command(context, 'recordTestResults', input, async (tx) => {
    const { runId, results } = input;
    if (results.length > BATCH_LIMIT) {
      throw refuse.validation(`At most ${BATCH_LIMIT} results are recorded at once, but got ${results.length}.`, [
        'input',
        'results',
      ]);
    }
    return { resultIds: await record(context, tx, runId, results, (i) => ['input', 'results', String(i)]) };
  });
}

async function record(
  context: Context,
  tx: Tx,
  runId: string,
  given: readonly TestResultInput[],
  pathOf: (index: number) => string[],
): Promise<string[]> {
  const run = await tx.testRun.findUnique({ where: { runId }, select: { traceId: true } });
  if (!run) throw refuse.notFound('TestRun', runId, ['input', 'runId']);
  const data = given.map((result, i) => {
    const path = pathOf(i);
    const text = (field: 'expectedValue' | 'actualValue') => boundedText(result[field], TEXT_LENGTH, [...path, field]);
    return {
      resultId: result.resultId
        ? boundedText(result.resultId, NAME_LENGTH, [...path, 'resultId'])
        : crypto.randomUUID(),
      runId,
      assertionName: boundedText(result.name, NAME_LENGTH, [...path, 'name']),
      assertionType: stored(result.type),
      expectedValue: text('expectedValue'),
      actualValue: text('actualValue'),
      status: stored(result.status),
      verificationTime: result.verificationTime ?? context.now(),
      errorDetails: result.errorDetails
        ? boundedText(result.errorDetails, TEXT_LENGTH, [...path, 'errorDetails'])
        : null,
      correlationId: result.correlationId
        ? boundedText(result.correlationId, NAME_LENGTH, [...path, 'correlationId'])
        : run.traceId,
    };
  });
  const ids = data.map(({ resultId }) => resultId);
  const taken = await tx.testResult.findFirst({ where: { resultId: { in: ids } }, select: { resultId: true } });
  if (taken || new Set(ids).size < ids.length) {
    throw refuse.conflict(null, `Result "${taken?.resultId ?? ids[0]}" is there already.`, ['input', 'results']);
  }
  if (data.length > 0) await tx.testResult.createMany({ data });
  return ids;
}
