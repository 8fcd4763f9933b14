import { eventTypeOf } from '@grantlog/contracts'
import { eventually } from '@grantlog/testing'
import { expect } from '@jest/globals'
import type { Client } from '../bad-input/wire.js'
import { claimsOf, exchangeType } from '../exchange/exchange-world.js'
import type { Answer, FamilyWorld, Redeem, Sender } from './family-world.js'

/** What is done, at one of the instances. Tokens are counted from the newest, in a circle. */
export type Action =
  | { readonly does: 'redeem'; readonly at: number }
  | { readonly does: 'refresh'; readonly at: number; readonly by: Sender; readonly back: number }
  | { readonly does: 'revoke family'; readonly at: number; readonly back: number }
  | { readonly does: 'revoke token'; readonly at: number; readonly back: number }
  | { readonly does: 'exchange'; readonly at: number; readonly back: number }
  | { readonly does: 'end grant' }

interface AccessToken {
  readonly text: string
  readonly id: string
  readonly client: Client
  /** What it was exchanged for. */
  readonly parent: AccessToken | undefined
  revoked: boolean
}

/** An action as it was sent, and how it was answered. */
interface Sent {
  readonly action: Action
  /** The refresh token, or the access token, that it is about. */
  readonly refreshToken?: string
  readonly accessToken?: AccessToken
  readonly client?: Client
  /** undefined: the answer tells nothing */
  readonly answer?: Answer
}

/**
 * A token family that is used and misused, and what must be true of it meanwhile. Actions of one round are sent at once: their order is
 * the service's to choose, so what is expected is what holds in each.
 */
export class FamilyRun {
  /** In the order in which they replaced each other. */
  readonly #refreshTokens: string[] = []
  readonly #accessTokens: AccessToken[] = []
  readonly #presented = new Map<string, Sender[]>()
  readonly #answered = new Map<string, { readonly by: Sender; readonly successor: string }>()
  /** What has happened that ends the family, in the words of the event. */
  readonly #ends = new Set<string>()
  #grantEnded = false
  #redemptions = 0

  constructor(
    private readonly world: FamilyWorld,
    private readonly client: Client,
    private readonly redeem: Redeem,
  ) {}

  async round(actions: readonly Action[]): Promise<void> {
    const wasOver = this.#isOver
    const sent = await Promise.all(actions.map(action => this.#send(action)))
    for (const each of sent) this.#noteEnd(each)
    if (sent.some(({ action }) => action.does === 'end grant')) await this.#grantEndIsHeard()
    for (const each of sent) this.#checkTokens(each, wasOver)
    for (const { action, accessToken } of sent)
      if (action.does === 'revoke token' && accessToken) accessToken.revoked = true
    for (const each of sent) this.#checkRefusal(each)
    if (!wasOver) await (this.#isOver ? this.#allIsOver() : this.#theNewestIsGood())
  }

  /** @returns what became of the family */
  async end(): Promise<string[]> {
    await (this.#isOver ? this.#allIsOver() : this.#eachIsWhatItIs())
    return [...(await this.#logExplains()), ...(this.#grantEnded ? ['grant ended'] : [])]
  }

  get #isBound(): boolean {
    return this.client === this.world.boundClient
  }

  get #isOver(): boolean {
    return this.#grantEnded || this.#ends.size > 0
  }

  async #send(action: Action): Promise<Sent> {
    const { world, client } = this
    switch (action.does) {
      case 'redeem': {
        this.#redemptions++
        return { action, client, answer: await this.redeem(action.at) }
      }
      case 'refresh': {
        const refreshToken = nth(this.#refreshTokens, action.back)
        if (refreshToken === undefined) return { action }
        this.#presented.set(refreshToken, [...(this.#presented.get(refreshToken) ?? []), action.by])
        const answer = await world.refresh(action.at, client, action.by, refreshToken)
        return { action, refreshToken, client, answer }
      }
      case 'revoke family': {
        const refreshToken = nth(this.#refreshTokens, action.back)
        if (refreshToken === undefined) return { action }
        await world.revoke(action.at, client, refreshToken)
        return { action, refreshToken }
      }
      case 'revoke token': {
        const accessToken = nth(this.#accessTokens, action.back)
        if (accessToken === undefined) return { action }
        await world.revoke(action.at, accessToken.client, accessToken.text)
        return { action, accessToken }
      }
      case 'exchange': {
        const mayBe = this.#accessTokens.filter(({ client }) => world.exchangerOf(client) !== undefined)
        const accessToken = nth(mayBe, action.back)
        const exchanger = accessToken && world.exchangerOf(accessToken.client)
        if (accessToken === undefined || exchanger === undefined) return { action }
        const answer = await world.exchange(action.at, exchanger, accessToken.text)
        return { action, accessToken, client: exchanger, answer }
      }
      case 'end grant': {
        const [first] = this.#accessTokens
        if (first === undefined || this.#grantEnded) return { action }
        this.#grantEnded = true
        await world.endGrant(first.text)
        return { action }
      }
    }
  }

  #noteEnd({ action, refreshToken }: Sent): void {
    if (action.does === 'redeem' && this.#redemptions > 1) this.#ends.add('code-replayed')
    if (action.does === 'revoke family' && refreshToken !== undefined) this.#ends.add('client-revoked')
    if (action.does === 'refresh' && refreshToken !== undefined && this.#isTheft(refreshToken))
      this.#ends.add('refresh-replayed')
  }

  /**
   * A confidential client's token is its own, and so is one that is bound to a key; another public one's is whoever's used it first, when
   * that one can prove to be the same.
   */
  #isTheft(refreshToken: string): boolean {
    const senders = this.#presented.get(refreshToken) ?? []
    if (this.#isBound) return senders.includes('thief') // who proves no key is sent away
    if (this.client.secret !== undefined) return senders.some(sender => sender !== 'client')
    return new Set(senders).size > 1 || senders.filter(sender => sender === 'nobody').length > 1
  }

  /** What is given, is given for what nothing had ended before. */
  #checkTokens({ action, refreshToken, accessToken, client, answer }: Sent, wasOver: boolean): void {
    if (answer?.status !== 200) return
    const { access_token: text = '', refresh_token: successor = '' } = answer.body
    const said = JSON.stringify(action)
    expect({ said, ended: wasOver || isRevoked(accessToken) }).toEqual({ said, ended: false })
    if (action.does === 'redeem') {
      expect({ said, first: this.#refreshTokens }).toEqual({ said, first: [] }) // a code is redeemed once
      this.#refreshTokens.push(successor)
    }
    if (action.does === 'refresh' && refreshToken !== undefined)
      this.#checkSuccessor(said, refreshToken, { by: action.by, successor })
    const issued = { text, id: claimsOf(text).jti, parent: accessToken, revoked: false }
    this.#accessTokens.push({ ...issued, client: client ?? this.client })
  }

  /** Nobody is refused, unless something has happened that ends what they presented. */
  #checkRefusal({ action, accessToken, answer }: Sent): void {
    if (answer === undefined) return
    const said = `${JSON.stringify(action)}: ${answer.status} ${answer.body.error}`
    if (this.#isBound && action.does === 'refresh' && action.by === 'nobody') {
      expect({ said, status: answer.status }).toEqual({ said, status: 400 }) // whatever has happened
      return
    }
    if (answer.status === 200) return
    const told = { said, status: answer.status, ended: this.#isOver || isRevoked(accessToken) }
    expect(told).toEqual({ said, status: 400, ended: true })
  }

  /** One successor of each token, for one sender. */
  #checkSuccessor(said: string, token: string, now: { by: Sender; successor: string }): void {
    const before = this.#answered.get(token)
    if (before !== undefined) expect({ said, ...now }).toEqual({ said, ...before })
    else {
      expect({ said, replaced: token }).toEqual({ said, replaced: this.#refreshTokens.at(-1) })
      this.#refreshTokens.push(now.successor)
    }
    this.#answered.set(token, now)
  }

  /** The token service hears of a grant's end in its own time. */
  async #grantEndIsHeard(): Promise<void> {
    if (!this.#grantEnded) return
    const newest = this.#refreshTokens.at(-1) ?? ''
    await eventually(async () => expect(await this.world.isActive(newest)).toEqual([false, false]))
  }

  async #theNewestIsGood(): Promise<void> {
    const newest = this.#refreshTokens.at(-1)
    if (newest !== undefined) expect(await this.world.isActive(newest)).toEqual([true, true])
  }

  async #allIsOver(): Promise<void> {
    const tokens = [...this.#refreshTokens, ...this.#accessTokens.map(({ text }) => text)]
    const active = await Promise.all(tokens.map(token => this.world.isActive(token)))
    expect(active).toEqual(tokens.map(() => [false, false]))
  }

  /** One refresh token is alive, and every access token that nobody revoked: neither itself nor what it was exchanged for. */
  async #eachIsWhatItIs(): Promise<void> {
    const refresh = this.#refreshTokens.map((token, index, all) => [token, index === all.length - 1] as const)
    const access = this.#accessTokens.map(token => [token.text, !isRevoked(token)] as const)
    const expected = [...refresh, ...access]
    const active = await Promise.all(expected.map(([token]) => this.world.isActive(token)))
    expect(active).toEqual(expected.map(([, alive]) => [alive, alive]))
  }

  /** Every answer is in the log, and nothing else. */
  async #logExplains(): Promise<string[]> {
    const [first] = this.#accessTokens
    const familyId = first && String(claimsOf(first.text).family)
    if (familyId === undefined) throw new Error('The code was never redeemed')
    const rows = await this.world.eventsOf(familyId)
    const events = rows.map(({ type, data }) => ({ type: eventTypeOf(type), data }))
    const of = (type: string) => events.filter(event => event.type === type)
    const issued = of('token.issued').map(({ data }) => data.tokenId)
    expect(issued.toSorted()).toEqual(this.#accessTokens.map(({ id }) => id).toSorted())
    expect(of('code.redeemed')).toHaveLength(1)
    const rotated = of('token.issued').filter(({ data }) => data.refresh !== undefined)
    expect(rotated).toHaveLength(this.#refreshTokens.length - 1)
    const exchanged = of('token.issued').filter(({ data }) => data.grantType === exchangeType)
    expect(exchanged).toHaveLength(this.#accessTokens.filter(({ parent }) => parent).length)
    const ends = of('token.revoked').map(({ data }) => String(data.reason))
    // it ends once, for a reason that there was
    expect(ends).toHaveLength(this.#ends.size === 0 || (this.#grantEnded && ends.length === 0) ? 0 : 1)
    for (const reason of ends) expect([...this.#ends]).toContain(reason)
    expect(of('code.replayed')).toHaveLength(ends.includes('code-replayed') ? 1 : 0)
    expect(of('refresh.replayed')).toHaveLength(ends.includes('refresh-replayed') ? 1 : 0)
    return ends.length > 0 ? ends : this.#grantEnded ? [] : ['alive']
  }
}

const nth = <T>(tokens: readonly T[], back: number): T | undefined => tokens.at(-1 - (back % tokens.length))

/** Itself, or what it was exchanged for. */
function isRevoked(token: AccessToken | undefined): boolean {
  return token !== undefined && (token.revoked || isRevoked(token.parent))
}
