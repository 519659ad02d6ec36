/** A report as one text. */
import type { Detection, Entry, Findings } from './report.ts';
import { seconds } from './words.ts';

export interface Writable {
  summary: readonly string[];
  timeline: readonly Entry[];
  impact: readonly string[];
  recommendations: readonly string[];
  detections: readonly Detection[];
  generatedAt: string;
  findings: Findings;
}

export function asJson({ findings, ...report }: Writable): string {
  const { run, scenarioName, phases, results, events } = findings;
  const whole = {
    runId: run.runId,
    scenarioId: run.scenarioId,
    scenario: scenarioName,
    status: run.status,
    exitCode: run.exitCode,
    startedAt: run.startedAt,
    completedAt: run.completedAt,
    durationMs: run.durationMs,
    timeScale: run.timeScale,
    traceId: run.traceId,
    rollbackStatus: run.rollbackStatus,
    ...pick(report),
    phases: phases.map(({ name, success, error, startedAt, endedAt }) => ({
      name,
      success,
      error,
      startedAt,
      endedAt,
    })),
    results: results.map(({ phase, assertionName, assertionType, expectedValue, actualValue, status, delayMs }) => ({
      phase,
      name: assertionName,
      type: assertionType,
      expected: expectedValue,
      actual: actualValue,
      status,
      delayMs,
    })),
    chaosEvents: events.map(({ eventType, action, targetService, status, injectedAt, clearedAt, recoveryTimeMs }) => ({
      type: eventType,
      action,
      targetService,
      status,
      injectedAt,
      clearedAt,
      recoveryTimeMs,
    })),
  };
  return JSON.stringify(whole, null, 2);
}

function pick({ summary, timeline, impact, recommendations, detections, generatedAt }: Omit<Writable, 'findings'>) {
  return { generatedAt, summary, detections, impact, recommendations, timeline };
}

/** The timeline, a row an entry; a text that a spreadsheet would reckon with is led by an apostrophe. */
export function asCsv({ timeline }: Writable): string {
  const rows = timeline.map(({ at, offsetMs, level, message }) => [at, String(offsetMs), level, message]);
  return `${[['at', 'offset_ms', 'level', 'message'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function asHtml({
  summary,
  timeline,
  impact,
  recommendations,
  detections,
  generatedAt,
  findings,
}: Writable): string {
  const { run, scenarioName } = findings;
  const list = (lines: readonly string[]) => `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
  const table = (head: string[], rows: string[][]) =>
    `<table><tr>${head.map((text) => `<th>${escaped(text)}</th>`).join('')}</tr>${rows
      .map((row) => `<tr>${row.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`)
      .join('')}</table>`;
  const seen = detections.map(({ name, trigger, deadlineMs, delayMs, isWithinDeadline }) => [
    name,
    trigger,
    delayMs === null ? 'not detected' : seconds(delayMs),
    seconds(deadlineMs),
    isWithinDeadline ? 'in time' : 'missed',
  ]);
  const happened = timeline.map(({ offsetMs, level, message }) => [seconds(offsetMs), level, message]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(scenarioName)}</title>
<style>body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .5rem;text-align:left}</style></head>
<body><h1>${escaped(scenarioName)}: ${escaped(run.status.toUpperCase())}</h1>
<p>Run ${escaped(run.runId)}, trace ${escaped(run.traceId)}, written ${escaped(generatedAt)}.</p>
<h2>Summary</h2>${list(summary)}
<h2>Expected detections</h2>${table(['Detection', 'Trigger', 'Took', 'Deadline', ''], seen)}
<h2>Impact</h2>${list(impact)}
<h2>Recommendations</h2>${list(recommendations)}
<h2>Timeline</h2>${table(['After', 'Level', 'What'], happened)}
</body></html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
