import { importKey, type RevocableToken, type Revocation, RevocationSet } from '@grantlog/resource-guard'
import { exportJWK } from 'jose'
import { idOf, newGuard, publicKey, tokens } from './subject.js'

/** What a process says of what it remembers. */
export interface Remembered {
  /** Of the heap, for each. */
  readonly bytes: number
  /** Nanoseconds to find that a token is revoked, and that it is not. */
  readonly hit: number
  readonly miss: number
}

const asked = 1000
const hour = 3600

const [what, count = ''] = process.argv.slice(2)
const remembered = what === 'tokens' ? await ofTokens(Number(count)) : ofRevocations(Number(count))
process.stdout.write(JSON.stringify(remembered))

/** An hour of revocations, as they arrive. */
function ofRevocations(count: number): Remembered {
  const clock = { now: Math.floor(Date.now() / 1000) }
  const begun = clock.now
  const before = heap()
  const set = new RevocationSet({ now: () => clock.now })
  for (let n = 0; n < count; n += 1) {
    clock.now = begun + Math.floor((n / count) * hour)
    const event = JSON.stringify({ target: { kind: 'family', id: idOf('d', n) }, issuedBefore: null })
    set.apply(JSON.parse(event) as Revocation)
  }
  const bytes = (heap() - before) / count
  return { bytes, hit: lookUp(set, count), miss: lookUp(set, count, count) }
}

/** Tokens of families from `first` on, spread over as many as there are. */
function lookUp(set: RevocationSet, count: number, first = 0): number {
  const some = Array.from({ length: asked }, (_, n): RevocableToken => {
    const family = first + Math.floor((n / asked) * count)
    return {
      tokenId: idOf('c', n),
      familyId: idOf('d', family),
      grantId: idOf('e', n),
      clientId: idOf('b', n),
      subject: idOf('a', n),
      keyId: 'key-1',
      issuedAt: 0,
    }
  })
  let revoked = 0
  const round = () => {
    for (const token of some) if (set.revokedBy(token) !== undefined) revoked += 1
  }
  for (let n = 0; n < 100; n += 1) round()
  const began = process.hrtime.bigint()
  for (let n = 0; n < 300; n += 1) round()
  const nanoseconds = Number(process.hrtime.bigint() - began) / (300 * asked)
  if (revoked !== (first === 0 ? 400 * asked : 0)) throw new Error(`${revoked} were revoked`)
  return nanoseconds
}

async function ofTokens(count: number): Promise<Remembered> {
  const key = await importKey({ ...(await exportJWK(publicKey)), alg: 'ES256' })
  const guard = newGuard(async () => key)
  const verify = async (some: string[]) => {
    for (const token of some) await guard.verify({ authorization: `Bearer ${token}` })
    return guard.health().cached
  }
  await verify(tokens(asked))
  const before = heap()
  const cached = (await verify(tokens(count))) - asked
  return { bytes: (heap() - before) / cached, hit: Number.NaN, miss: Number.NaN }
}

function heap(): number {
  if (globalThis.gc === undefined) throw new Error('node --expose-gc')
  for (let n = 0; n < 3; n += 1) globalThis.gc()
  return process.memoryUsage().heapUsed
}
