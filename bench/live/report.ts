/** The benchmark's lines: what was measured, our figure, the plain alternative's, and their ratio. */
import { availableParallelism, loadavg } from 'node:os';

export interface Line {
  title: string;
  ours: string;
  plain?: string;
  /** Ours to the alternative's. */
  ratio?: number;
  /** What was aimed at, and whether it was met. */
  aim?: { text: string; isMet: boolean };
  note?: string;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Tells how busy the machine is with other things, since every figure depends on it. */
export function heading(title: string): void {
  const [load = 0] = loadavg();
  print(`\n${title}   [load ${load.toFixed(1)} on ${availableParallelism()} cores]`);
  print(columns('', 'ours', 'plain', 'ratio'));
}

export function report({ title, ours, plain = '-', ratio, aim, note }: Line): void {
  const remarks = [aim && `${aim.text}: ${aim.isMet ? 'met' : 'MISSED'}`, note].filter(Boolean).join('; ');
  print(`${columns(title, ours, plain, ratio === undefined ? '-' : ratio.toFixed(2))}   ${remarks}`.trimEnd());
}

function columns(title: string, ours: string, plain: string, ratio: string): string {
  return title.padEnd(52) + ours.padStart(20) + plain.padStart(20) + ratio.padStart(8);
}
