import pg from 'pg'
import type { Chance } from './chance.js'
import type { Cluster, Instance } from './cluster.js'

const kinds = {
  'kill-instance': 4,
  'freeze-instance': 3,
  'cut-postgres': 2,
  'delay-postgres': 1,
  'hold-postgres': 2,
  'lose-answers-of-postgres': 3,
  'terminate-backends': 3,
  'kill-postgres': 1,
  'abandon-postgres': 1,
} as const
const kafkaKinds = {
  'kill-kafka': 2,
  'freeze-kafka': 1,
  'cut-kafka': 2,
  'delay-kafka': 1,
  'hold-kafka': 2,
  'lose-answers-of-kafka': 3,
  'abandon-kafka': 1,
} as const
type Kind = keyof typeof kinds | keyof typeof kafkaKinds

/** What goes wrong, when, for how long, and to whom. Times are milliseconds since the run began. */
export interface Fault {
  readonly at: number
  readonly kind: Kind
  readonly lasts: number
  /** Chooses the victim among those that there are, and how much of it is hit. */
  readonly victim: number
}

/** All faults of a run, a function of the chance alone: one after the other, with time to breathe between two. */
export function planFaults(chance: Chance, options: { milliseconds: number; kafka: boolean }): Fault[] {
  const weights: Partial<Record<Kind, number>> = options.kafka ? { ...kinds, ...kafkaKinds } : kinds
  const plan: Fault[] = []
  for (let at = chance.between(1000, 2500); at < options.milliseconds; ) {
    const kind = chance.weighted(weights as Record<Kind, number>)
    const lasts = kind.startsWith('freeze') ? chance.between(500, 8000) : chance.between(100, 4000)
    plan.push({ at, kind, lasts, victim: chance.between(0, 999) })
    at += lasts + chance.between(200, 2500)
  }
  return plan
}

/** Lets a fault happen, and heals it. Returns when it is healed. */
export async function strike({ kind, lasts, victim }: Fault, cluster: Cluster): Promise<void> {
  const { instances, postgres, postgresProxy, kafka } = cluster
  const proxy = kind.endsWith('kafka') ? kafka?.proxy : postgresProxy
  const instance = instances[victim % instances.length]
  const last = () => new Promise(resolve => setTimeout(resolve, lasts))
  switch (kind) {
    case 'kill-instance':
      return void signal(instance, 'SIGKILL') // it is started again by itself
    case 'freeze-instance':
      signal(instance, 'SIGSTOP')
      await last()
      return void signal(instance, 'SIGCONT')
    case 'cut-postgres':
    case 'cut-kafka':
      return proxy?.cut()
    case 'abandon-postgres':
    case 'abandon-kafka':
      return proxy?.abandon()
    case 'delay-postgres':
    case 'delay-kafka':
      if (proxy) proxy.delay = 10 + (victim % 200)
      await last()
      return proxy?.release()
    case 'hold-postgres':
    case 'hold-kafka':
      proxy?.hold()
      await last()
      if (victim % 2 === 0) proxy?.cut()
      return proxy?.release()
    case 'lose-answers-of-postgres':
    case 'lose-answers-of-kafka':
      proxy?.holdAnswers()
      await new Promise(resolve => setTimeout(resolve, lasts / 4))
      proxy?.cut()
      return proxy?.release()
    case 'terminate-backends':
      return terminateBackends(postgres.url('postgres'), 1 + (victim % 12))
    case 'kill-postgres':
      await postgres.kill()
      await last()
      return postgres.restart()
    case 'kill-kafka':
      await kafka?.broker.kill()
      await last()
      return kafka?.broker.restart()
    case 'freeze-kafka':
      kafka?.broker.pause()
      await last()
      return kafka?.broker.resume()
  }
}

/** A process that has just ended by another fault is not there to be hit. */
function signal(instance: Instance | undefined, name: NodeJS.Signals): void {
  const pid = instance?.process.pid
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function terminateBackends(url: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname like 'grantlog_%' and backend_type = 'client backend' order by random() limit $1`,
      [count],
    )
  } finally {
    await client.end()
  }
}
