import { parseArgs } from 'node:util'
import { type SigningAlgorithm, signingAlgorithms } from '@grantlog/oauth'
import { line } from '@grantlog/platform'
import { type KeySequence, type SequenceKey, signingKeyAt } from './domain/key-schedule.js'
import type { KeyLife } from './keys/key-life.js'

const options = {
  json: { type: 'boolean', default: false },
  reason: { type: 'string' },
  alg: { type: 'string', default: 'ES256' },
} as const

/**
 * `keys list [--json]`, `keys compromise KID [--reason TEXT]`, `keys rotate [--alg NAME]`: what the operator does with signing keys.
 * No private half has to open for it.
 * @throws Error with a sentence
 */
export async function keysCommand(life: KeyLife, args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const [action, keyId, ...more] = positionals
  if (more.length > 0) throw new Error(`“${more.join(' ')}” is too much`)
  if (action === 'compromise' && keyId !== undefined) return compromise(life, keyId, values.reason)
  if (action === 'list' && keyId === undefined) return list(life, values.json)
  if (action === 'rotate' && keyId === undefined) return rotate(life, values.alg)
  throw new Error('keys list, keys compromise KID or keys rotate')
}

interface Listed {
  readonly key_id: string
  readonly algorithm: SigningAlgorithm
  readonly state: 'announced' | 'active' | 'retained'
  readonly active_from: string
  readonly active_until: string
}

async function list(life: KeyLife, json: boolean): Promise<string> {
  const keys: Listed[] = []
  for (const algorithm of signingAlgorithms) {
    const sequence = (await life.read(algorithm)).keys
    keys.push(...sequence.map((key, place) => listed(sequence, key, place, life.clock.seconds())))
  }
  if (json) return JSON.stringify(keys)
  const lines = keys.map(({ key_id, algorithm, state, active_from, active_until }) =>
    [key_id, algorithm, state.padEnd(9), 'signs from', active_from, 'to', active_until].join('  '),
  )
  return (
    lines.join('\n') || 'There is no signing key yet: the token service makes the first one when it starts.'
  )
}

function listed(keys: KeySequence, key: SequenceKey, place: number, now: number): Listed {
  const signs = signingKeyAt(keys, now)
  const before = signs !== undefined && place < keys.indexOf(signs)
  return {
    key_id: key.keyId,
    algorithm: key.algorithm,
    state: key === signs ? 'active' : before ? 'retained' : 'announced',
    active_from: timeOf(key.activeFrom),
    active_until: timeOf(keys[place + 1]?.activeFrom ?? key.activeUntil),
  }
}

async function compromise(life: KeyLife, keyId: string, given: string | undefined): Promise<string> {
  const reason = given === undefined ? null : line(200).safeParse(given).data
  if (reason === undefined) throw new Error('--reason must be one line of 1 to 200 characters')
  const replacement = await life.compromise(keyId, reason)
  if (replacement === undefined)
    throw new Error(`There is no signing key ${keyId} that still counts: keys list shows those that do`)
  const revoked = `Everything that ${keyId} signed is revoked.`
  return replacement === null
    ? `${revoked} It is not the key that signs: nothing takes its place now.`
    : `${revoked} From now on ${replacement.keyId} signs.`
}

async function rotate(life: KeyLife, name: string): Promise<string> {
  const algorithm = signingAlgorithms.find(known => known === name)
  if (algorithm === undefined)
    throw new Error(`--alg must be one of ${signingAlgorithms.join(', ')}, not “${name}”`)
  const { next, announced } = await life.rotate(algorithm)
  const is = announced ? 'is announced' : 'was announced already'
  return `${next.keyId} ${is}: it signs from ${timeOf(next.activeFrom)} on.`
}

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
