/** Figures over runs and results (domain.md §7.2). */
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';

/** What passed by what was decided; null when nothing was. */
export function passRate(passed: number, decided: number): Decimal | null {
  return decided === 0 ? null : round8(dec(passed).div(decided));
}
