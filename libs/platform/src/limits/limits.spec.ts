import type { OAuthError } from '@grantlog/oauth'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { type LimitedClient, type LimitSettings, Limits } from './limits.js'

const client = (
  client_id: string,
  auth_method: LimitedClient['auth_method'] = 'client_secret_basic',
): LimitedClient => ({ client_id, auth_method })
const [shop, other, app] = [client('shop'), client('other'), client('app', 'none')]

describe('the limits', () => {
  let now: number
  let told: string[]
  beforeEach(() => {
    now = 0
    told = []
  })

  const limits = (settings: Partial<LimitSettings> = {}) =>
    new Limits(
      { ADDRESS_RATE: 0, CLIENT_RATE: 0, CLIENT_IN_FLIGHT: 0, ...settings },
      {
        refused: reason => told.push(reason),
        failedAuthentication: method => told.push(method),
        alarm: ({ clientId }) => told.push(`alarm ${clientId}`),
      },
      () => now,
    )
  const outcome = async (work: () => unknown): Promise<unknown> => {
    try {
      return await work()
    } catch (error) {
      const { status, headers } = error as OAuthError
      return { status, after: Number(headers['Retry-After']) }
    }
  }
  const done = async () => 'done'

  it('count what comes from a network, for as long as it does', async () => {
    const one = limits({ ADDRESS_RATE: 2 })
    for (let n = 0; n < 10; n++) one.arrive('192.0.2.1')
    expect(await outcome(() => one.arrive('192.0.2.1'))).toEqual({ status: 429, after: 1 })
    expect(await outcome(() => one.arrive('192.0.2.2'))).toBeUndefined()
    now = 0.5
    expect(await outcome(() => one.arrive('192.0.2.1'))).toBeUndefined()
    expect(told).toEqual(['address-rate'])
  })

  it('count a client that proved who it is for itself, not for its network', async () => {
    const one = limits({ ADDRESS_RATE: 1, CLIENT_RATE: 2 })
    const request = (from: LimitedClient) =>
      outcome(() => {
        one.arrive('192.0.2.1')
        return one.answer(from, '192.0.2.1', done)
      })
    for (let n = 0; n < 10; n++) expect(await request(shop)).toBe('done')
    expect(await request(shop)).toEqual({ status: 429, after: 1 })
    expect(await request(other)).toBe('done')
    for (let n = 0; n < 5; n++) expect(await request(app)).toBe('done')
    expect(await request(app)).toEqual({ status: 429, after: 1 })
    expect(told).toEqual(['client-rate', 'address-rate'])
  })

  it('bound what one client has in flight, and leave room for the next when it is answered', async () => {
    const one = limits({ CLIENT_IN_FLIGHT: 2 })
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const flying = answers.map(({ promise }) => one.answer(shop, 'a', () => promise))
    expect(await outcome(() => one.answer(shop, 'b', done))).toEqual({ status: 429, after: 1 })
    expect(await outcome(() => one.answer(other, 'a', done))).toBe('done')
    answers[0]?.resolve('first')
    answers[1]?.reject(new Error('broken'))
    await Promise.allSettled(flying)
    for (let n = 0; n < 3; n++) expect(await outcome(() => one.answer(shop, 'b', done))).toBe('done')
    expect(told).toEqual(['client-in-flight'])
  })

  it('bound a client that cannot prove who it is for each network: nobody else can use up what is its', async () => {
    const one = limits({ CLIENT_IN_FLIGHT: 1 })
    const answer = Promise.withResolvers<string>()
    const flying = one.answer(app, 'attacker', () => answer.promise)
    expect(await outcome(() => one.answer(app, 'attacker', done))).toEqual({ status: 429, after: 1 })
    expect(await outcome(() => one.answer(app, 'honest', done))).toBe('done')
    answer.resolve('')
    await flying
  })

  describe('of failed authentications', () => {
    const guess = async (one: Limits, times: number, of = shop, network = 'attacker') => {
      for (let n = 0; n < times; n++) one.wasWrong(of, network)
    }
    const mayTry = (one: Limits, of = shop, network = 'attacker') => outcome(() => one.mayTry(of, network))

    it('hold who guesses, and never the client elsewhere', async () => {
      const one = limits()
      await guess(one, 19)
      expect(await mayTry(one)).toBeUndefined()
      await guess(one, 1)
      expect(await mayTry(one)).toEqual({ status: 429, after: 30 })
      expect(await mayTry(one, shop, 'honest')).toBeUndefined()
      expect(await mayTry(one, other)).toBeUndefined()
      now = 30
      expect(await mayTry(one)).toBeUndefined()
    })

    it('make who goes on wait longer', async () => {
      const one = limits()
      const waits: unknown[] = []
      for (let n = 0; n < 70; n++) {
        await guess(one, 1)
        const wait = ((await mayTry(one)) as { after: number } | undefined)?.after ?? 0
        waits.push(wait)
        now += wait
      }
      expect(waits.slice(0, 19)).toEqual(Array(19).fill(0))
      expect(waits[19]).toBe(30)
      expect(waits[69]).toBe(300)
    })

    it('hold a network that guesses at many clients', async () => {
      const one = limits()
      for (let n = 0; n < 100; n++) await guess(one, 1, client(`client ${n}`))
      expect(await mayTry(one, client('another'))).toEqual({ status: 429, after: 6 })
      expect(await mayTry(one, client('another'), 'honest')).toBeUndefined()
    })

    it('are told, with an alarm once a client has many, from wherever they come', async () => {
      const one = limits()
      for (let n = 0; n < 101; n++) await guess(one, 1, shop, `attacker ${n}`)
      expect(told.filter(each => each === 'client_secret_basic')).toHaveLength(101)
      expect(told.filter(each => each.startsWith('alarm'))).toEqual(['alarm shop'])
      expect(await mayTry(one, shop, 'honest')).toBeUndefined()
    })
  })
})
