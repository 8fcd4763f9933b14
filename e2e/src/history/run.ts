import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { application } from './applications.js'
import { Chance } from './chance.js'
import { type Finding, logIsDense } from './checks.js'
import { type Cluster, startCluster } from './cluster.js'
import { type Fault, planFaults, strike } from './faults.js'
import { History, type Outcome } from './history.js'
import { machine, operator } from './operators.js'
import { findingsAtRest } from './rest.js'
import { readStores } from './stores.js'
import type { Workload } from './workload.js'

const artefacts = join(import.meta.dirname, '../../../test-artefacts')
const restMilliseconds = 90_000
const progressMilliseconds = 10_000

export interface RunOptions {
  /** Operations and faults are a function of it; how they interleave in time is not. */
  readonly seed: number
  readonly milliseconds: number
  readonly transport: 'embedded' | 'kafka'
  /** Hears a line of progress now and then. */
  readonly told: (line: string) => void
}

export interface RunResult {
  readonly operations: Readonly<Record<Outcome, number>>
  readonly faults: readonly Fault[]
  readonly findings: readonly Finding[]
  /** Where history, faults and findings are written. */
  readonly file: string
}

/** Starts a cluster, works on it while it is struck, lets it come to rest, and looks whether everything is as it must be. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, milliseconds, transport, told } = options
  const chance = new Chance(seed)
  const faults = planFaults(chance.fork(), { milliseconds, kafka: transport === 'kafka' })
  const cluster = await startCluster(transport, line => told(line.split('\n')[0] ?? ''))
  try {
    const since = await numbered(cluster)
    const history = new History()
    const workload: Workload = { cluster, history, holdings: [], registered: [], over: false }
    const workers = [operator, machine, application].flatMap(work =>
      Array.from({ length: 4 }, () => work(workload, chance.fork())),
    )
    const progress = setInterval(() => told(progressOf(history, faults)), progressMilliseconds)
    const troubles = await strikeAll(faults, workload, options)
    await new Promise(resolve => setTimeout(resolve, Math.max(0, milliseconds - history.now)))
    workload.over = true
    await Promise.all(workers)
    clearInterval(progress)
    told(`${progressOf(history, faults)}; at rest`)

    const found = await settled(() => findingsAtRest(workload, since))
    const findings = [...troubles, ...cluster.crashes, ...found]
    const file = await write(options, cluster, { faults, findings, history })
    const operations = {
      ok: history.count('ok'),
      failed: history.count('failed'),
      unknown: history.count('unknown'),
    }
    return { operations, faults, findings, file }
  } finally {
    await cluster.stop()
  }
}

function progressOf(history: History, faults: readonly Fault[]): string {
  const struck = faults.filter(({ at }) => at <= history.now).length
  const counts = (['ok', 'failed', 'unknown'] as const).map(outcome => `${history.count(outcome)} ${outcome}`)
  return `${Math.round(history.now / 1000)} s: ${counts.join(', ')}; ${struck} faults`
}

/** The last number of each store, once everything that was stored before has one. */
async function numbered(cluster: Cluster): Promise<Record<string, number>> {
  await settled(async () => (await readStores(cluster.direct)).flatMap(logIsDense))
  const stores = await readStores(cluster.direct)
  return Object.fromEntries(stores.map(({ source, lastSeq }) => [source, lastSeq]))
}

/** Each fault at its time, or as soon as the one before is healed. @returns what could not be healed */
async function strikeAll(
  faults: readonly Fault[],
  { cluster, history }: Workload,
  { milliseconds, told }: RunOptions,
): Promise<Finding[]> {
  const troubles: Finding[] = []
  for (const fault of faults) {
    await new Promise(resolve => setTimeout(resolve, Math.max(0, fault.at - history.now)))
    const began = history.now
    if (began > milliseconds) break // healing took its time: the rest would only make the run longer
    await strike(fault, cluster).catch(error => troubles.push(`${fault.kind} was not healed: ${error}`))
    told(`${began} ms: ${fault.kind} (${fault.victim}), ${history.now - began} ms long`)
  }
  return troubles
}

/** Looks again until there is nothing to find, or too much time has passed: others hear of things in their own time. */
async function settled(look: () => Promise<Finding[]>): Promise<Finding[]> {
  for (const until = Date.now() + restMilliseconds; ; ) {
    const findings = await look().catch(error => [`The check itself failed: ${error}`])
    if (findings.length === 0 || Date.now() > until) return findings
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

async function write(
  { seed, transport }: RunOptions,
  { installation }: Cluster,
  { faults, findings, history }: { faults: readonly Fault[]; findings: readonly Finding[]; history: History },
): Promise<string> {
  const folder = join(artefacts, `history-${transport}-${seed}`)
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'history.jsonl')
  const lines = [...faults, ...history.invocations, ...findings].map(line => `${JSON.stringify(line)}\n`)
  await writeFile(file, lines.join(''))
  for (const instance of ['a', 'b'])
    await cp(join(installation.folder, instance), join(folder, instance), { recursive: true })
  return file
}
