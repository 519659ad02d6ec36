/** A report for a terminal. */

export interface Told {
  summary: string[];
  impact: string[];
  recommendations: string[];
  detections: {
    name: string;
    trigger: string;
    deadlineMs: number;
    delayMs: number | null;
    isWithinDeadline: boolean;
  }[];
  run: { runId: string; traceId: string; status: string };
}

export function asText({ summary, impact, recommendations, detections, run }: Told): string {
  const width = Math.max(...detections.map(({ name }) => name.length), 0);
  const seen = detections.map(({ name, trigger, deadlineMs, delayMs, isWithinDeadline }) => {
    const took = delayMs === null ? 'not detected' : `after ${secondsOf(delayMs)}`;
    return `${name.padEnd(width)}  ${isWithinDeadline ? 'in time' : 'MISSED '}  ${took}, of ${secondsOf(deadlineMs)}: ${trigger}`;
  });
  const sections: [title: string, lines: string[]][] = [
    ['Summary', summary],
    ['Expected detections', seen],
    ['Impact', impact],
    ['Recommendations', recommendations],
  ];
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
  return `${[...text, `Run ${run.runId}, trace ${run.traceId}: ${run.status}`].join('\n\n')}\n`;
}

function secondsOf(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
