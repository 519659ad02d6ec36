/** At which prices an instrument was traded, from its bars. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { badInput } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import { storedInterval } from '../enums.ts';
import type { CandleInterval } from '../generated/resolvers.ts';
import { durationMs } from '../rules/candle-intervals.ts';

export interface PriceBucket {
  low: Decimal;
  high: Decimal;
  volume: Decimal;
}

export interface ProfiledVolume {
  symbol: string;
  from: string;
  to: string;
  bars: number;
  totalVolume: Decimal;
  buckets: PriceBucket[];
}

export interface VolumeProfileArgs {
  symbol: string;
  from: string;
  to?: string | null | undefined;
  interval?: CandleInterval | null | undefined;
  buckets?: number | null | undefined;
}

const MOST_BUCKETS = 100;
/** A month of one-minute bars. */
const MOST_BARS = 44_640;

/**
 * The volume of the bars by their average price, in buckets of equal width; none where nothing was traded.
 * @throws GraphQLError (bad input) outside 1 to 100 buckets, or a window that is empty or of more than 44,640 bars
 */
export async function volumeProfile(context: Context, args: VolumeProfileArgs): Promise<ProfiledVolume> {
  const symbol = normaliseSymbol(args.symbol, ['symbol']);
  const count = args.buckets ?? 24;
  if (count < 1 || count > MOST_BUCKETS) {
    throw badInput(`buckets must be from 1 to ${MOST_BUCKETS}, but got ${count}.`, ['buckets']);
  }
  const interval = storedInterval(args.interval ?? 'M1');
  const { from, to = null } = args;
  const until = to ?? context.now().toISOString();
  const bars = (Date.parse(until) - Date.parse(from)) / durationMs(interval);
  if (bars <= 0) throw badInput('to must lie after from.', ['to']);
  if (bars > MOST_BARS)
    throw badInput(`At most ${MOST_BARS} bars are looked at, but got ${Math.ceil(bars)}.`, ['from']);
  // Floors a bar's distance from the lowest price to a bucket; the highest price belongs to the last one.
  const rows = await context.db.query<{ bucket: number; bars: number; volume: string; low: string; high: string }>(sql`
    with bars as (
      select coalesce(vwap, (high + low + close) / 3) as price, volume from candles
       where symbol = ${symbol} and "interval" = ${interval} and volume > 0
         and start_time >= ${from}::timestamptz and start_time < ${until}::timestamptz),
    range as (select min(price) as low, max(price) as high from bars)
    select case when range.low = range.high then 0
                else least(floor((price - range.low) * ${count}::int / (range.high - range.low)), ${count}::int - 1)
           end::int as bucket, count(*)::int as bars, sum(volume) as volume, range.low, range.high
      from bars cross join range group by bucket, range.low, range.high order by bucket`);
  const [first] = rows;
  const profile = { symbol, from, to: until };
  if (!first) return { ...profile, bars: 0, totalVolume: dec(0), buckets: [] };
  const [low, high] = [dec(first.low), dec(first.high)];
  const width = high.minus(low).dividedBy(count);
  const volumes = new Map(rows.map(({ bucket, volume }) => [bucket, dec(volume)]));
  const edge = (n: number) => round8(low.plus(width.times(n)));
  const buckets = Array.from({ length: low.equals(high) ? 1 : count }, (_, n) => ({
    low: edge(n),
    high: edge(n + 1),
    volume: volumes.get(n) ?? dec(0),
  }));
  const totalVolume = buckets.reduce((sum, { volume }) => sum.plus(volume), dec(0));
  return { ...profile, bars: rows.reduce((sum, row) => sum + row.bars, 0), totalVolume, buckets };
}

const VALUE_AREA = '0.7';

/** The bucket with the most volume, the lower of equals; null where nothing was traded. */
export function pointOfControl({ buckets }: ProfiledVolume): PriceBucket | null {
  return buckets.reduce<PriceBucket | null>(
    (most, bucket) => (most === null || bucket.volume.greaterThan(most.volume) ? bucket : most),
    null,
  );
}

/** The buckets around the point of control that hold 70 % of the volume; null where nothing was traded. */
export function valueArea(profile: ProfiledVolume): { low: Decimal; high: Decimal } | null {
  const { buckets, totalVolume } = profile;
  const centre = pointOfControl(profile);
  if (!centre) return null;
  let [from, to] = [buckets.indexOf(centre), buckets.indexOf(centre)];
  let held = centre.volume;
  while (held.lessThan(totalVolume.times(VALUE_AREA))) {
    const [below, above] = [buckets[from - 1], buckets[to + 1]];
    const isUpwards = above !== undefined && (below === undefined || !above.volume.lessThan(below.volume));
    held = held.plus((isUpwards ? above : below)?.volume ?? 0);
    if (isUpwards) to++;
    else from--;
  }
  return { low: (buckets[from] as PriceBucket).low, high: (buckets[to] as PriceBucket).high };
}
