/** The scenarios that there are, a line each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';

const LIST = `{ scenarios(first: 500, sortOrder: ASC) { nodes {
  scenarioId name description status category durationSeconds } } }`;

interface Listed {
  scenarios: {
    nodes: {
      scenarioId: string;
      name: string;
      description: string | null;
      status: string;
      category: string;
      durationSeconds: number;
    }[];
  };
}

/** The shipped ones are stored a moment after a graph has started. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;

export async function listScenarios(graph: GraphClient): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const { scenarios } = await graph.request<Listed>(LIST);
    if (scenarios.nodes.length === 0 && attempt < ATTEMPTS) {
      await sleep(PAUSE_MS);
      continue;
    }
    const width = Math.max(...scenarios.nodes.map(({ scenarioId }) => scenarioId.length), 0);
    return scenarios.nodes.map(
      ({ scenarioId, description, name, status, category, durationSeconds }) =>
        `${scenarioId.padEnd(width)}  ${status.toLowerCase()}, ${category.toLowerCase()}, ${spanOf(durationSeconds)}: ${description ?? name}`,
    );
  }
}

/** "27 min", "36 h". */
export function spanOf(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
