/** What a benchmark measured: one figure, beside a peer's in the same run. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The peer's figure, measured in the same run, in the same unit. */
  readonly beside: { readonly name: string; readonly value: number }
  /** `value / beside.value` */
  readonly ratio: number
  /** The bound that the ratio must keep. */
  readonly atLeast?: number
  readonly atMost?: number
  readonly ok: boolean
}

/** A benchmark: measures, and returns its figures. Progress goes to `told`, a sentence at a time. */
export interface Benchmark {
  readonly name: string
  readonly describe: string
  readonly run: (told: (line: string) => void) => Promise<readonly Figure[]>
}

/** A figure with its verdict. Rates and times are rounded to three significant digits. */
export function figure(
  name: string,
  unit: string,
  measured: { ours: number; peer: number; peerName: string },
  bound: { atLeast: number } | { atMost: number },
): Figure {
  const ratio = measured.ours / measured.peer
  const ok = 'atLeast' in bound ? ratio >= bound.atLeast : ratio <= bound.atMost
  return {
    name,
    value: rounded(measured.ours),
    unit,
    beside: { name: measured.peerName, value: rounded(measured.peer) },
    ratio: rounded(ratio),
    ...bound,
    ok,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const rounded = (value: number) => Number(value.toPrecision(3))
