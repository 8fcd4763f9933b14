import { type ProofStep, prove as proveSite, Steps } from '@grantlog/demonstration'
import { type Backbone, siteOf } from './environment.js'
import type { Demo, Premises } from './installation.js'
import { eventsSince, type LogLine, lastEvents } from './log.js'

export interface Proof {
  readonly ok: boolean
  readonly steps: readonly ProofStep[]
  /** From the owner's revocation, acknowledged, to the first refusal by the API. */
  readonly revokedToDeniedMs: number | null
  readonly log: readonly LogLine[]
}

/**
 * The main job over HTTP, and what the services' logs say of it.
 * @param told hears of each step when it is done
 */
export async function prove(
  installation: Premises,
  backbone: Backbone,
  demo: Demo,
  told: (step: ProofStep) => void,
): Promise<Proof> {
  const steps = new Steps(told)
  const before = await lastEvents(backbone)
  let revokedToDeniedMs: number | null = null
  try {
    revokedToDeniedMs = await proveSite(siteOf(installation), demo, steps)
    const log = await steps.take(
      'the log',
      // the sample API has a client too, and asks for its token in its own time
      () => eventsSince(backbone, before, ({ data }) => data.clientId !== demo.apiClient.id),
      lines => `${lines.length} events`,
    )
    return { ok: true, steps: steps.taken, revokedToDeniedMs, log }
  } catch {
    return { ok: false, steps: steps.taken, revokedToDeniedMs, log: [] } // the failed step says why
  }
}
