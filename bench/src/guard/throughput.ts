import { importKey } from '@grantlog/resource-guard'
import { exportJWK, jwtVerify } from 'jose'
import { type Figure, figure } from '../benchmark.js'
import { audience, issuer, newGuard, publicKey, tokens } from './subject.js'

export const rounds = 21
const tokensPerRound = 500
const repeated = 100

/** Both verify the same tokens in each round, in turns. */
export async function measureThroughput(told: (line: string) => void): Promise<Figure[]> {
  const key = await importKey({ ...(await exportJWK(publicKey)), alg: 'ES256' })
  const expected = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] }
  const jose = (token: string) => jwtVerify(token, key, expected)
  const fresh = () => {
    const guard = newGuard(async () => key)
    return (token: string) => guard.verify({ authorization: `Bearer ${token}` }, { scope: ['invoices:read'] })
  }
  const used = fresh()
  const often = tokens(repeated)
  const again = Array.from({ length: tokensPerRound / repeated }, () => often).flat()
  for (const token of tokens(1000).concat(often))
    await Promise.all([jose(token), used(token), fresh()(token)])

  // made before, so that nothing is left of it to be cleaned up
  const all = Array.from({ length: rounds }, () => ({ some: tokens(tokensPerRound), ours: fresh() }))
  const seen: Round[] = []
  const unseen: Round[] = []
  for (const [round, { some, ours }] of all.entries()) {
    unseen.push(await inTurn(round, some, ours, jose))
    seen.push(await inTurn(round, again, used, jose))
  }
  told(`ratios of tokens never seen: ${unseen.map(ratioOf).map(ratio => ratio.toFixed(2))}`)
  told(`ratios of tokens seen before: ${seen.map(ratioOf).map(ratio => ratio.toFixed(2))}`)
  const beside = (all: readonly Round[]) => ({ ...middle(all), peerName: 'jwtVerify of jose' })
  return [
    figure('Tokens never seen before', 'tokens/s per core', beside(unseen), { atLeast: 0.9 }),
    figure('Tokens that come again', 'tokens/s per core', beside(seen), { atLeast: 5 }),
  ]
}

interface Round {
  /** Tokens per second of processor time. */
  readonly ours: number
  readonly peer: number
}

type Verify = (token: string) => Promise<unknown>

/** Who is first changes from round to round. */
async function inTurn(round: number, some: string[], ours: Verify, peer: Verify): Promise<Round> {
  if (round % 2 === 0) return { ours: await rate(some, ours), peer: await rate(some, peer) }
  const second = await rate(some, peer)
  return { ours: await rate(some, ours), peer: second }
}

/** By processor time of all threads: the machine may do something else beside. */
async function rate(some: readonly string[], verify: Verify): Promise<number> {
  const before = process.cpuUsage()
  for (const token of some) await verify(token)
  const { user, system } = process.cpuUsage(before)
  return some.length / ((user + system) / 1e6)
}

const ratioOf = ({ ours, peer }: Round) => ours / peer

/** The round whose ratio is the median. */
function middle(all: readonly Round[]): Round {
  const sorted = [...all].sort((a, b) => ratioOf(a) - ratioOf(b))
  return sorted[Math.floor(sorted.length / 2)] ?? { ours: Number.NaN, peer: Number.NaN }
}
