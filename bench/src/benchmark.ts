/** What a benchmark measured: one figure, beside a peer's in the same run where it has one. */
export interface Figure {
  /** What it belongs to, where a benchmark has many. */
  readonly group?: string
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The peer's figure, measured in the same run, in the same unit. */
  readonly beside?: { readonly name: string; readonly value: number }
  /** `value / beside.value`; beside nothing there is none. */
  readonly ratio?: number
  /** The bound that the ratio must keep. */
  readonly atLeast?: number
  readonly atMost?: number
  /** The bound that the value itself must keep, in its unit. */
  readonly valueAtLeast?: number
  readonly valueAtMost?: number
  readonly ok: boolean
}

/** A benchmark: measures, and returns its figures. Progress goes to `told`, a sentence at a time. */
export interface Benchmark {
  readonly name: string
  readonly describe: string
  readonly run: (told: (line: string) => void) => Promise<readonly Figure[]>
  /** Its section of the page that publishes the figures; Markdown. */
  readonly section?: (figures: readonly Figure[], machine: Machine) => string
}

/** Where it was measured. */
export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly memory: string
  readonly system: string
}

type Bounds = Pick<Figure, 'atLeast' | 'atMost' | 'valueAtLeast' | 'valueAtMost'>
type Measured = { readonly ours: number } & (
  | { readonly peer: number; readonly peerName: string }
  | { readonly peer?: undefined }
)

/** A figure with its verdict: no bound, no way to miss it. Rates and times are rounded to three significant digits. */
export function figure(name: string, unit: string, measured: Measured, bounds: Bounds): Figure {
  const value = measured.ours
  const ratio = measured.peer ? value / measured.peer : undefined
  const within = (number = Number.NaN, least = -Infinity, most = Infinity) =>
    number >= least && number <= most
  const ok =
    within(value, bounds.valueAtLeast, bounds.valueAtMost) &&
    (ratio === undefined || within(ratio, bounds.atLeast, bounds.atMost))
  return {
    name,
    value: rounded(value),
    unit,
    ...(measured.peer !== undefined && {
      beside: { name: measured.peerName, value: rounded(measured.peer) },
    }),
    ...(ratio !== undefined && { ratio: rounded(ratio) }),
    ...bounds,
    ok,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const rounded = (value: number) => Number(value.toPrecision(3))
