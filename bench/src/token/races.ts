import { type Benchmark, type Figure, figure } from '../benchmark.js'
import type { Answer } from './connection.js'
import { startGrantlog, writeRegistry } from './grantlog.js'
import { startGround } from './ground.js'
import { startOidcProvider } from './oidc-provider.js'
import { racesSection } from './section.js'
import { Requester, type Target, tokensIn } from './target.js'

const trials = 20
/** How long Grantlog answers whoever repeats a refresh; what comes after that is theft. */
const retrySeconds = 2

/** What two requests at once, or one that comes again, lead to: counted, the same way at each server. */
export const races: Benchmark = {
  name: 'races',
  describe: 'what parallel and repeated refreshes and redemptions lead to, beside oidc-provider',
  section: racesSection,

  async run(told) {
    const ground = await startGround()
    try {
      const registry = await writeRegistry(ground)
      const ours = await startGrantlog(ground, registry, {
        database: await ground.database('token'),
        env: { REFRESH_RETRY_SECONDS: String(retrySeconds) },
      })
      const inMemory = await startOidcProvider(ground)
      const onPostgres = await startOidcProvider(ground, await ground.database('oidc_provider'))
      const counts = new Map<Target, Counts>()
      for (const target of [ours, inMemory, onPostgres]) {
        const counted = await race(target)
        counts.set(target, counted)
        told(`${target.name}: ${JSON.stringify(counted)}`)
      }
      await Promise.all([ours, inMemory, onPostgres].map(target => target.stop()))
      return Object.entries(meaning).flatMap(([name, what]) =>
        [inMemory, onPostgres].map((peer): Figure => {
          const of = (target: Target) => counts.get(target)?.[name as keyof Counts] ?? Number.NaN
          const measured = { ours: of(ours), peer: of(peer), peerName: peer.name }
          return figure(what, `of ${trials}`, measured, { valueAtMost: 0 })
        }),
      )
    } finally {
      await ground.stop()
    }
  },
}

const meaning = {
  twoSuccessors: 'Two refreshes of one token at once: two successors',
  loggedOut: 'Two refreshes of one token at once: logged out',
  lostAnswer: 'A refresh is repeated at once, its answer was lost: logged out',
  codeTwice: 'A code is redeemed twice at once: both get tokens',
  replayed: `A refresh token comes again after ${retrySeconds + 1} s: accepted`,
  unnoticed: `A refresh token comes again after ${retrySeconds + 1} s: its successor lives on`,
}
type Counts = Record<keyof typeof meaning, number>

async function race(target: Target): Promise<Counts> {
  const counts: Counts = {
    twoSuccessors: 0,
    loggedOut: 0,
    lostAnswer: 0,
    codeTwice: 0,
    replayed: 0,
    unnoticed: 0,
  }
  const [one, other] = [new Requester(target), new Requester(target)]
  await Promise.all([one, other].map(requester => requester.clientCredentials())) // both are connected
  const begin = async () => one.redeem(await target.code())
  const count = (name: keyof Counts, so: boolean) => {
    if (so) counts[name] += 1
  }
  for (let trial = 0; trial < trials; trial++) {
    const raced = await begin()
    const answers = await Promise.all([one, other].map(requester => requester.sendRefresh(raced)))
    const successors = new Set(answers.flatMap(refreshTokenOf))
    count('twoSuccessors', successors.size === 2)
    count('loggedOut', !(await anyWorks(one, [...successors])))

    const repeated = await begin()
    const first = await one.refresh(repeated)
    const again = refreshTokenOf(await one.sendRefresh(repeated))
    count('lostAnswer', !(await anyWorks(one, again.length > 0 ? again : [first])))

    const code = await target.code()
    const redeemed = await Promise.all([one, other].map(requester => requester.sendCode(code)))
    count(
      'codeTwice',
      redeemed.every(({ status }) => status === 200),
    )
  }
  const stolen: { old: string; successor: string }[] = []
  for (let trial = 0; trial < trials; trial++) {
    const old = await begin()
    stolen.push({ old, successor: await one.refresh(old) })
  }
  await new Promise(resolve => setTimeout(resolve, (retrySeconds + 1) * 1000))
  for (const { old, successor } of stolen) {
    count('replayed', (await one.sendRefresh(old)).status === 200)
    count('unnoticed', await anyWorks(one, [successor]))
  }
  for (const requester of [one, other]) requester.close()
  return counts
}

async function anyWorks(requester: Requester, refreshTokens: readonly string[]): Promise<boolean> {
  for (const token of refreshTokens) if ((await requester.sendRefresh(token)).status === 200) return true
  return false
}

function refreshTokenOf(answer: Answer): string[] {
  const { refresh_token } = answer.status === 200 ? tokensIn(answer) : {}
  return refresh_token === undefined ? [] : [refresh_token]
}
