/** The sentences of a report. */
import type { Findings } from './report.ts';

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}

/** What came out. */
export function summaryOf({ run, scenarioName, phases, results, detections }: Findings): string[] {
  const count = (status: string) => results.filter((result) => result.status === status).length;
  const done = phases.filter(({ endedAt }) => endedAt !== null).length;
  const lines = [
    `${scenarioName}: ${run.status.toUpperCase()}${run.durationMs === null ? '' : ` after ${seconds(run.durationMs)}`}.`,
    `${done} of ${phases.length} phases were gone through${run.dryRun ? ', without doing anything' : ''}.`,
    `${count('passed')} assertions held, ${count('failed')} did not, ${count('error')} could not be looked at, ${count('skipped')} were passed over.`,
  ];
  if (detections.length > 0) {
    const inTime = detections.filter(({ isWithinDeadline }) => isWithinDeadline).length;
    lines.push(`${inTime} of ${detections.length} expected detections were made in time.`);
  }
  if (run.errorMessage) lines.push(`Why it did not pass: ${run.errorMessage}`);
  return lines;
}

/** What was disturbed, and what that did. */
export function impactOf({ events, results, run }: Findings): string[] {
  const disturbed = events.map(({ action, targetService, durationMs, status, recoveryTimeMs }) => {
    const lasted = durationMs === null ? '' : ` for ${seconds(durationMs)}`;
    const recovered =
      recoveryTimeMs === null ? `; it is ${status.toUpperCase()}` : `; well again after ${seconds(recoveryTimeMs)}`;
    return `${targetService} bore ${action}${lasted}${recovered}.`;
  });
  const broken = results
    .filter(({ status }) => status === 'failed' || status === 'error')
    .map(
      ({ assertionName, expectedValue, actualValue }) =>
        `${assertionName}: ${expectedValue} was expected, ${actualValue} was found.`,
    );
  const rollback = `What was disturbed is set right: ${run.rollbackStatus.replaceAll('_', ' ')}.`;
  const none = disturbed.length === 0 ? ['Nothing was disturbed.'] : [];
  return [...none, ...disturbed, ...broken, rollback];
}

/** What should be done. */
export function adviceOf({ run, results, detections, events }: Findings): string[] {
  const advice: string[] = [];
  for (const { name, isDetected, isWithinDeadline, delayMs, deadlineMs } of detections) {
    if (!isDetected) advice.push(`See why there was no ${name}: limits, the monitor, and whoever heeds its alerts.`);
    else if (!isWithinDeadline)
      advice.push(`Make the ${name} faster: it took ${seconds(delayMs ?? 0)} of ${seconds(deadlineMs)}.`);
  }
  for (const { assertionName, status, errorDetails } of results) {
    if (status === 'error')
      advice.push(`See why ${assertionName} could not be looked at: ${errorDetails ?? 'nothing was said'}.`);
  }
  for (const { action, targetService, error, status } of events) {
    if (status === 'failed')
      advice.push(`See why ${action} of ${targetService} failed: ${error ?? 'nothing was said'}.`);
  }
  if (run.rollbackStatus === 'failed') advice.push('Look after what could not be set right; faults end by themselves.');
  if (advice.length === 0)
    advice.push(run.status === 'passed' ? 'Nothing: everything was as it should be.' : 'Run it again.');
  return advice;
}
