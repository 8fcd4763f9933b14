import { type Figure, figure, median } from '../benchmark.js'
import type { Ground } from './ground.js'
import type { Target } from './target.js'
import { measure, type Window } from './window.js'
import { clientCredentials, introspection, refresh, revocation, type Work } from './works.js'

export const rounds = 5
const seconds = 1.2
const crowds = [16, 64] as const
type Connections = (typeof crowds)[number]

interface Targets {
  readonly ours: Target
  readonly inMemory: Target
  readonly onPostgres: Target
}

/** A work, and what its ratios must keep. */
interface Bounds {
  readonly work: Work
  /** Beside the peer in memory; without it, the peer is not asked. */
  readonly inMemory?: Readonly<Record<Connections, number>>
  readonly onPostgres?: number
  /** Processor time of the service alone, beside that of the peer in memory. */
  readonly processor?: number
  /** Whether it stores anything. */
  readonly stores: boolean
}

const works: readonly Bounds[] = [
  { work: clientCredentials, inMemory: { 16: 0.9, 64: 1 }, processor: 0.75, stores: true },
  { work: refresh, inMemory: { 16: 1.2, 64: 1.2 }, onPostgres: 3, stores: true },
  { work: introspection, inMemory: { 16: 0.8, 64: 0.8 }, onPostgres: 2.5, stores: false },
  { work: revocation, onPostgres: 3, stores: true }, // what is revoked in memory was never kept
]

/** Every work on every target, in turns. */
export async function measureWorks(
  ground: Ground,
  targets: Targets,
  told: (line: string) => void,
): Promise<{ figures: Figure[]; windows: Window[] }> {
  for (const bounds of works)
    for (const target of targetsOf(bounds, targets))
      await measure(ground, target, bounds.work, { connections: 64, seconds: 1 }) // compiled, and with its pools open
  const figures: Figure[] = []
  const windows: Window[] = []
  for (const bounds of works) {
    for (const connections of crowds) {
      const all = await inTurns(targetsOf(bounds, targets), target =>
        measure(ground, target, bounds.work, { connections, seconds }),
      )
      const of = (target: Target) => medians(all.get(target) ?? [])
      const measured = {
        ours: of(targets.ours),
        ...(bounds.inMemory && { inMemory: of(targets.inMemory) }),
        onPostgres: of(targets.onPostgres),
      }
      windows.push(...(all.get(targets.ours) ?? []))
      figures.push(...figuresOf(bounds, connections, measured, targets))
      const rates = Object.entries(measured).map(([name, { perSecond }]) => `${name} ${perSecond.toFixed(0)}`)
      told(`${bounds.work.name}, ${connections} connections, ${bounds.work.unit}/s: ${rates.join(', ')}`)
    }
  }
  return { figures, windows }
}

/** What the service holds under load. */
export function memory(windows: readonly Window[]): Figure {
  const most = Math.max(...windows.map(({ mebibytes }) => mebibytes))
  return {
    ...figure('Memory of the process under load, at most', 'MiB', { ours: most }, { valueAtMost: 200 }),
    group: 'Extremes',
  }
}

/** Measures each in every round, so that what happens to the machine happens to all. */
export async function inTurns<Subject>(
  subjects: readonly Subject[],
  measured: (subject: Subject) => Promise<Window>,
): Promise<Map<Subject, Window[]>> {
  const all = new Map(subjects.map(subject => [subject, [] as Window[]]))
  for (let round = 0; round < rounds; round++)
    for (const [subject, windows] of all) windows.push(await measured(subject))
  return all
}

export function medians(windows: readonly Window[]): Window {
  const names = Object.keys(windows[0] ?? {}) as (keyof Window)[]
  return Object.fromEntries(
    names.map(name => [name, median(windows.map(window => window[name]))]),
  ) as unknown as Window
}

function targetsOf({ inMemory }: Bounds, targets: Targets): Target[] {
  return [targets.ours, ...(inMemory ? [targets.inMemory] : []), targets.onPostgres]
}

function figuresOf(
  { work, stores, ...bounds }: Bounds,
  connections: Connections,
  measured: { ours: Window; inMemory?: Window; onPostgres: Window },
  { inMemory, onPostgres }: Targets,
): Figure[] {
  const beside = (window: Window, peer: Target, name: keyof Window) => ({
    ours: measured.ours[name],
    peer: window[name],
    peerName: peer.name,
  })
  const named = (what: string) => `${connections} connections, ${what}`
  const figures: Figure[] = []
  if (measured.inMemory !== undefined) {
    const besideMemory = (name: keyof Window) => beside(measured.inMemory ?? measured.ours, inMemory, name)
    const atLeast = bounds.inMemory?.[connections]
    figures.push(
      figure(named('rate'), `${work.unit}/s`, besideMemory('perSecond'), { ...(atLeast && { atLeast }) }),
      figure(named('p50'), 'ms', besideMemory('p50'), {}),
      figure(named('p99'), 'ms', besideMemory('p99'), {}),
      figure(
        named('processor time of the service alone'),
        'µs/operation',
        besideMemory('serviceMicroseconds'),
        {
          ...(bounds.processor && { atMost: bounds.processor }),
        },
      ),
    )
  }
  const besidePostgres = (name: keyof Window) => beside(measured.onPostgres, onPostgres, name)
  figures.push(
    figure(named('rate'), `${work.unit}/s`, besidePostgres('perSecond'), {
      ...(bounds.onPostgres && { atLeast: bounds.onPostgres }),
    }),
    figure(named('p50'), 'ms', besidePostgres('p50'), {}),
    figure(named('p99'), 'ms', besidePostgres('p99'), {}),
    figure(named('processor time with Postgres'), 'µs/operation', besidePostgres('allMicroseconds'), {}),
  )
  if (stores && connections === 64) {
    figures.push(
      figure('Database', 'bytes/operation', besidePostgres('databaseBytes'), {}),
      figure('Write-ahead log', 'bytes/operation', besidePostgres('walBytes'), {}),
    )
  }
  return figures.map(each => ({ ...each, group: work.name }))
}
