import type { Chance } from './chance.js'
import type { Cluster, Doubled } from './cluster.js'
import type { History, Invocation } from './history.js'

/** Tokens that a client got and the checks at rest try: an access token, and the family's last refresh token. */
export interface Holding {
  readonly familyId: string
  readonly grantId: string
  readonly clientId: string
  accessToken: string
  refreshToken: string
}

/** What the clients of a run share, and what they leave for the checks. */
export interface Workload {
  readonly cluster: Cluster
  readonly history: History
  readonly holdings: Holding[]
  /** Clients that were registered in the run, with the secret that the answer gave. */
  readonly registered: { readonly clientId: string; readonly secret: string }[]
  /** Set when no new operation is to begin. */
  over: boolean
}

/** Somebody who works on and on until the run is over. */
export type Worker = (workload: Workload, chance: Chance) => Promise<void>

/** One of the two instances of a service. */
export function instanceOf({ cluster }: Workload, chance: Chance, service: Doubled) {
  return chance.pick(cluster.instances.filter(instance => instance.service === service))
}

/** Nobody asks without a break, and who was not answered waits a while. */
export const rest = (chance: Chance, { outcome }: Pick<Invocation, 'outcome'>) =>
  pause(chance.between(0, 60) + (outcome === 'ok' ? 0 : 150))

export const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))
