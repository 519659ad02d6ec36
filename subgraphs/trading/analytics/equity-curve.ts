/** Equity as time went by: the capital and what had been gained and lost by then. */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Context } from '../context.ts';
import { type Pnl, pnlAt, type Scope } from './pnl.ts';
import { instantsOf, type Resolution } from './rules/periods.ts';
import { asked, type Window, windowOf } from './window.ts';

export interface EquityPoint {
  at: string;
  realizedPnl: string;
  unrealizedPnl: string;
  pnl: string;
  /** Null where the capital is not known. */
  equity: string | null;
}

export interface CurveArgs {
  from?: string | null | undefined;
  to?: string | null | undefined;
  resolution: Resolution;
}

const NOTHING: Pnl = { realizedPnl: dec(0), unrealizedPnl: dec(0) };

export async function equityCurve(
  context: Context,
  scope: Scope,
  capital: Decimal | null,
  { resolution, ...args }: CurveArgs,
): Promise<EquityPoint[]> {
  const window = windowOf(context, args);
  const instants = instantsOf(window.from, window.to, resolution);
  const figures = await totalAt(context, scope, window, resolution);
  return instants.map((at, i) => {
    const { realizedPnl, unrealizedPnl } = figures[i] as Pnl;
    const pnl = realizedPnl.plus(unrealizedPnl);
    return {
      at,
      realizedPnl: realizedPnl.toFixed(),
      unrealizedPnl: unrealizedPnl.toFixed(),
      pnl: pnl.toFixed(),
      equity: capital?.plus(pnl).toFixed() ?? null,
    };
  });
}

/** The scope's P&L at each of the instants of a window at a resolution. */
export async function totalAt(context: Context, scope: Scope, window: Window, resolution: Resolution): Promise<Pnl[]> {
  const instants = instantsOf(window.from, window.to, resolution);
  const [whole] = await pnlAt(context, scope, asked(instants, window), { resolution, byPart: false });
  return whole?.at ?? instants.map(() => NOTHING);
}
