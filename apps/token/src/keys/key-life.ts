import { type Actor, timeOrderedId } from '@grantlog/contracts'
import type { Commands } from '@grantlog/eventing'
import { type SigningAlgorithm, signingAlgorithms } from '@grantlog/oauth'
import type { Clock } from '@grantlog/platform'
import { type KeyPlan, type KeySequence, type SequenceKey, successorIsDue } from '../domain/key-schedule.js'
import { type Advance, type NewKey, type SigningKeysEvent, signingKeys } from '../domain/signing-keys.js'
import { createKeyPair } from './key-pair.js'
import type { PrivateHalves } from './private-halves.js'

const system: Actor = { type: 'system', id: 'token' }
const operator: Actor = { type: 'operator', id: 'grantlog' }

/** What happens to the signing keys. Each step is one append: of several instances that try, one does it. */
export class KeyLife {
  constructor(
    private readonly commands: Commands,
    readonly privateHalves: PrivateHalves,
    readonly clock: Clock,
    private readonly plan: KeyPlan,
  ) {}

  /** The keys of an algorithm as the log has them now, and the version that they are of. */
  async read(algorithm: SigningAlgorithm): Promise<{ keys: KeySequence; version: number }> {
    const { state, version } = await this.commands.load(signingKeys, algorithm)
    return { keys: state.keys, version }
  }

  /** Whether time has brought anything that the keys do not say yet. */
  isBehind(keys: KeySequence): boolean {
    const now = this.clock.seconds()
    const command: Advance = { type: 'advance', now, plan: this.plan, next: null }
    return successorIsDue(keys, now, this.plan) || signingKeys.decide(command, { keys }).length > 0
  }

  /** Does what time has brought: the first key, the next one’s announcement, activation, retirement. */
  async advance(algorithm: SigningAlgorithm): Promise<void> {
    const now = this.clock.seconds()
    const { keys } = await this.read(algorithm)
    const next = successorIsDue(keys, now, this.plan) ? await this.#make(algorithm, now) : null
    const command: Advance = { type: 'advance', now, plan: this.plan, next }
    const { events } = await this.commands.run(signingKeys, algorithm, command, { actor: system })
    if (next !== null) await this.#dropUnlessAnnounced(next, events)
  }

  /** @returns the key that waits to take over, and whether it was announced by this */
  async rotate(algorithm: SigningAlgorithm): Promise<{ next: SequenceKey; announced: boolean }> {
    const now = this.clock.seconds()
    const made = await this.#make(algorithm, now)
    const { events, state } = await this.commands.run(
      signingKeys,
      algorithm,
      { type: 'rotate', now, plan: this.plan, next: made },
      { actor: operator },
    )
    await this.#dropUnlessAnnounced(made, events)
    const next = state.keys.at(-1)
    if (next === undefined) throw new Error(`There is no key for ${algorithm}`)
    return { next, announced: events.length > 0 }
  }

  /**
   * Revokes everything that a key signed. If it is the one that signs, another one does from now on.
   * @returns the key that signs in its place, or null where it did not sign; undefined when no such key counts any more
   */
  async compromise(keyId: string, reason: string | null): Promise<NewKey | null | undefined> {
    const algorithm = await this.#algorithmOf(keyId)
    if (algorithm === undefined) return undefined
    const now = this.clock.seconds()
    const replacement = await this.#make(algorithm, now)
    const { events } = await this.commands.run(
      signingKeys,
      algorithm,
      { type: 'compromise', keyId, reason, now, plan: this.plan, replacement, causeId: timeOrderedId() },
      { actor: operator },
    )
    const needed = await this.#dropUnlessAnnounced(replacement, events)
    if (events.length === 0) return undefined
    await this.privateHalves.remove(keyId)
    return needed ? replacement : null
  }

  async #algorithmOf(keyId: string): Promise<SigningAlgorithm | undefined> {
    for (const algorithm of signingAlgorithms) {
      const { keys } = await this.read(algorithm)
      if (keys.some(key => key.keyId === keyId)) return algorithm
    }
    return undefined
  }

  /** The private half is stored before anybody hears of the key: a key that was announced can always sign. */
  async #make(algorithm: SigningAlgorithm, now: number): Promise<NewKey> {
    const { newKey, privateKey } = await createKeyPair(algorithm)
    await this.privateHalves.store(newKey.keyId, privateKey, now)
    return newKey
  }

  async #dropUnlessAnnounced({ keyId }: NewKey, events: readonly SigningKeysEvent[]): Promise<boolean> {
    const announced = events.some(({ type, data }) => type === 'key.announced' && data.keyId === keyId)
    if (!announced) await this.privateHalves.remove(keyId)
    return announced
  }
}
