import { Requester, type Target } from './target.js'

/** What is asked of a token service, again and again on each connection. */
export interface Work {
  readonly name: string
  /** What it makes, in the plural. */
  readonly unit: string
  /** Gets ready what so many connections need. */
  prepare(target: Target, requesters: readonly Requester[]): Promise<Step>
}

/** One request on the nth connection. @returns false when nothing is left to ask for */
export type Step = (requester: Requester, connection: number) => Promise<boolean>

export const clientCredentials: Work = {
  name: 'Client credentials',
  unit: 'tokens',
  prepare: async () => async requester => Boolean(await requester.clientCredentials()),
}

/** Each connection refreshes a family of its own. */
export const refresh: Work = {
  name: 'Refresh with rotation',
  unit: 'refreshes',
  async prepare(target, requesters) {
    const tokens = await Promise.all(requesters.map(async requester => requester.redeem(await target.code())))
    return async (requester, connection) => {
      tokens[connection] = await requester.refresh(tokens[connection] ?? '')
      return true
    }
  },
}

/** So many families in turns, on whichever connection is free: each comes back after all others. */
export const refreshInTurns = (families: number): Work => ({
  ...refresh,
  async prepare(target, requesters) {
    const each = Array.from({ length: Math.ceil(families / requesters.length) })
    const begun = await Promise.all(
      requesters.map(async requester => {
        const own: string[] = []
        for (const _ of each) own.push(await requester.redeem(await target.code()))
        return own
      }),
    )
    const tokens = begun.flat()
    return async requester => {
      const token = tokens.shift()
      if (token === undefined) return false
      tokens.push(await requester.refresh(token))
      return true
    }
  },
})

const tokensToIntrospect = 192

/** The same tokens again and again, as APIs ask. */
export const introspection: Work = {
  name: 'Introspection',
  unit: 'answers',
  async prepare(target, requesters) {
    const tokens = await issue(target, requesters, tokensToIntrospect)
    let next = 0
    return async requester => {
      next = (next + 1) % tokens.length
      if (!(await requester.isActive(tokens[next] ?? ''))) throw new Error('A live token was inactive')
      return true
    }
  },
}

const tokensToRevoke = 2560

/** Each token once: it ends when there are none left. */
export const revocation: Work = {
  name: 'Revocation',
  unit: 'revocations',
  async prepare(target, requesters) {
    const tokens = await issue(target, requesters, tokensToRevoke)
    return async requester => {
      const token = tokens.pop()
      if (token !== undefined) await requester.revoke(token)
      return token !== undefined
    }
  },
}

async function issue(target: Target, requesters: readonly Requester[], count: number): Promise<string[]> {
  const each = Array.from({ length: Math.ceil(count / requesters.length) })
  const tokens = await Promise.all(
    requesters.map(async requester => {
      const own: string[] = []
      for (const _ of each) own.push(await requester.clientCredentials(target.known))
      return own
    }),
  )
  return tokens.flat()
}
