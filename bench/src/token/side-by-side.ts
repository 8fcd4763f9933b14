import { type Figure, figure, median } from '../benchmark.js'
import type { Ground } from './ground.js'
import type { Target } from './target.js'
import { measure, type Window } from './window.js'
import { clientCredentials, introspection, refresh, revocation, type Work } from './works.js'

/** The same code is faster in one process than in the next: each figure is of several. */
export const processes = 3
/** Each order of three comes up as often as the others. */
export const rounds = 12
/** Of a round, for each. */
export const seconds = 0.5
/** Until what is asked for over and over is compiled as it stays. */
export const warmSeconds = 10
const crowds = [16, 64] as const
type Connections = (typeof crowds)[number]

export interface Targets {
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

/**
 * Every work on every target, in turns.
 * @param start starts the targets anew, each on the database that it had
 */
export async function measureWorks(
  ground: Ground,
  start: () => Promise<Targets>,
  told: (line: string) => void,
): Promise<{ figures: Figure[]; windows: Window[] }> {
  const tasks = works.flatMap(bounds => crowds.map(connections => ({ bounds, connections })))
  const all = tasks.map(() => ({ ours: [], inMemory: [], onPostgres: [] }) as Record<keyof Targets, Window[]>)
  const names: Partial<Record<keyof Targets, string>> = {}
  for (let process = 0; process < processes; process++) {
    const targets = await start()
    for (const { work, ...bounds } of works)
      for (const which of askedOf(bounds))
        await measure(ground, targets[which], work, { connections: 64, seconds: warmSeconds })
    for (const [index, { bounds, connections }] of tasks.entries()) {
      const measured = await inTurns(askedOf(bounds), which => {
        names[which] = targets[which].name
        return measure(ground, targets[which], bounds.work, { connections, seconds })
      })
      const rates = [...measured].map(([which, windows]) => {
        all[index]?.[which].push(...windows)
        return `${which} ${medians(windows).perSecond.toFixed(0)}`
      })
      told(`${bounds.work.name}, ${connections} connections, ${bounds.work.unit}/s: ${rates.join(', ')}`)
    }
    for (const target of Object.values(targets)) await target.stop()
  }
  const figures = tasks.flatMap(({ bounds, connections }, index) => {
    const { ours = [], inMemory = [], onPostgres = [] } = all[index] ?? {}
    const measured = {
      ours: medians(ours),
      ...(bounds.inMemory && { inMemory: medians(inMemory) }),
      onPostgres: medians(onPostgres),
    }
    return figuresOf(bounds, connections, measured, names)
  })
  return { figures, windows: all.flatMap(({ ours }) => ours) }
}

/** What the service holds under load. */
export function memory(windows: readonly Window[]): Figure {
  const most = Math.max(...windows.map(({ mebibytes }) => mebibytes))
  return {
    ...figure('Memory of the process under load, at most', 'MiB', { ours: most }, { valueAtMost: 200 }),
    group: 'Extremes',
  }
}

/**
 * Measures each in every round, so that what happens to the machine happens to all; in all orders in turns, so that nobody pays more
 * often than others for what the one before leaves behind (a cold cache, a vacuum).
 */
export async function inTurns<Subject>(
  subjects: readonly Subject[],
  measured: (subject: Subject) => Promise<Window>,
): Promise<Map<Subject, Window[]>> {
  const all = new Map(subjects.map(subject => [subject, [] as Window[]]))
  const orders = permutations(subjects)
  for (let round = 0; round < rounds; round++)
    for (const subject of orders[round % orders.length] ?? []) all.get(subject)?.push(await measured(subject))
  return all
}

function permutations<Each>(all: readonly Each[]): Each[][] {
  if (all.length === 0) return [[]]
  return all.flatMap(first => permutations(all.filter(each => each !== first)).map(rest => [first, ...rest]))
}

export function medians(windows: readonly Window[]): Window {
  const names = Object.keys(windows[0] ?? {}) as (keyof Window)[]
  return Object.fromEntries(
    names.map(name => [name, median(windows.map(window => window[name]))]),
  ) as unknown as Window
}

function askedOf({ inMemory }: Pick<Bounds, 'inMemory'>): (keyof Targets)[] {
  return ['ours', ...(inMemory ? (['inMemory'] as const) : []), 'onPostgres']
}

function figuresOf(
  { work, stores, ...bounds }: Bounds,
  connections: Connections,
  measured: { ours: Window; inMemory?: Window; onPostgres: Window },
  names: Partial<Record<keyof Targets, string>>,
): Figure[] {
  const beside = (window: Window, peer: keyof Targets, name: keyof Window) => ({
    ours: measured.ours[name],
    peer: window[name],
    peerName: names[peer] ?? peer,
  })
  const named = (what: string) => `${connections} connections, ${what}`
  const figures: Figure[] = []
  if (measured.inMemory !== undefined) {
    const besideMemory = (name: keyof Window) => beside(measured.inMemory ?? measured.ours, 'inMemory', name)
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
  const besidePostgres = (name: keyof Window) => beside(measured.onPostgres, 'onPostgres', name)
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
