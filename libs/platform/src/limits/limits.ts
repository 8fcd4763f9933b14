import { TransientMap } from '@grantlog/eventing'
import {
  type ClientAuthenticationMethod,
  clientAuthenticationMethods,
  type RegisteredClient,
  tooManyRequests,
} from '@grantlog/oauth'
import { type ValuesOf } from '../config.js'
import type { Metrics } from '../metrics.js'
import { setting } from '../setting.js'
import { Buckets } from './buckets.js'

/** How many seconds' worth of requests may come at once. */
const burstSeconds = 5

/**
 * Wrong secrets and assertions until the next one has to wait, and how long, in seconds; who goes on waits longer. Secrets of 256 bits are
 * not guessed: this ends the noise and the work of trying.
 */
const wrong = {
  pair: [
    { atOnce: 20, every: 30 },
    { atOnce: 60, every: 300 },
  ],
  network: [
    { atOnce: 100, every: 6 },
    { atOnce: 500, every: 60 },
  ],
  /** Of one client, wherever they come from: whoever knows its id could lock it out, so nobody is refused for these. */
  alarm: { atOnce: 100, every: 36 },
} as const

/** How much one sender may ask of the endpoints at which clients authenticate. */
export const limitSettings = {
  CLIENT_RATE: setting.integer({
    min: 0,
    max: 1_000_000,
    describe:
      'Requests per second of one client that proves who it is, in this instance; five seconds’ worth may come at once. 0: no limit.',
    example: '500',
    default: '1000',
  }),
  CLIENT_IN_FLIGHT: setting.integer({
    min: 0,
    max: 100_000,
    describe: 'Requests of one client that this instance works on at a time. 0: no limit.',
    example: '100',
    default: '256',
  }),
  ADDRESS_RATE: setting.integer({
    min: 0,
    max: 1_000_000,
    describe:
      'Requests per second of one address (IPv6: one /64) that are of no client that proves who it is, in this instance; five seconds’ worth may come at once. Behind a proxy it needs TRUSTED_PROXIES. 0: no limit.',
    example: '50',
    default: '200',
  }),
}

export type LimitSettings = ValuesOf<typeof limitSettings>

/** Whose requests are counted. */
export type LimitedClient = Pick<RegisteredClient, 'client_id' | 'auth_method'>

/** The limits that a request can meet, as the metrics name them. */
const limitReasons = ['address-rate', 'client-rate', 'client-in-flight', 'failed-authentications'] as const
type LimitReason = (typeof limitReasons)[number]

/** Who hears of what is refused. */
export interface LimitReport {
  refused(reason: LimitReason): void
  failedAuthentication(method: Exclude<ClientAuthenticationMethod, 'none'>): void
  alarm(facts: { readonly clientId: string }, message: string): void
}

/** Counts what is refused in the metrics, and warns in the log of clients that are attacked. */
export function limitReport(
  metrics: Metrics,
  logger: { warn(facts: object, message: string): void },
): LimitReport {
  const refused = metrics.counter({
    name: 'grantlog_requests_refused_total',
    help: 'Requests refused with 429, by the limit that they met.',
    label: 'limit',
    values: limitReasons,
  })
  const failedAuthentication = metrics.counter({
    name: 'grantlog_authentications_failed_total',
    help: 'Wrong secrets, assertions and certificates of clients, by what the client is registered with.',
    label: 'method',
    values: clientAuthenticationMethods.filter(method => method !== 'none'),
  })
  return { refused, failedAuthentication, alarm: (facts, message) => logger.warn(facts, message) }
}

/** How much one sender may ask of this instance. Every refusal is 429 with `Retry-After` (RFC 6585 §4). */
export class Limits {
  readonly #networks: Buckets
  readonly #clients: Buckets
  readonly #wrongOfPair = wrong.pair.map(({ every, atOnce }) => new Buckets(every, atOnce))
  readonly #wrongOfNetwork = wrong.network.map(({ every, atOnce }) => new Buckets(every, atOnce))
  readonly #wrongOfClient = new Buckets(wrong.alarm.every, wrong.alarm.atOnce)
  readonly #inFlight = new TransientMap<string, number>()

  /** @param now seconds, of a clock that nobody sets */
  constructor(
    private readonly settings: LimitSettings,
    private readonly report: LimitReport,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {
    this.#networks = atRate(settings.ADDRESS_RATE)
    this.#clients = atRate(settings.CLIENT_RATE)
  }

  /** Counts a request against where it comes from. @throws OAuthError 429 */
  arrive(network: string): void {
    const wait = this.#networks.take(network, this.now())
    if (wait > 0) this.#refuse('address-rate', network, wait)
  }

  /** Before a secret or an assertion is looked at. @throws OAuthError 429 after too many wrong ones */
  mayTry({ client_id }: LimitedClient, network: string): void {
    const now = this.now()
    const wait = Math.max(
      ...this.#wrongOfPair.map(buckets => buckets.wait(pairOf(client_id, network), now)),
      ...this.#wrongOfNetwork.map(buckets => buckets.wait(network, now)),
    )
    if (wait > 0) this.#refuse('failed-authentications', `${client_id} at ${network}`, wait)
  }

  /** The secret or the assertion was wrong. */
  wasWrong({ client_id, auth_method }: LimitedClient, network: string): void {
    if (auth_method === 'none') return
    const now = this.now()
    for (const buckets of this.#wrongOfPair) buckets.take(pairOf(client_id, network), now)
    for (const buckets of this.#wrongOfNetwork) buckets.take(network, now)
    this.report.failedAuthentication(auth_method)
    if (this.#wrongOfClient.take(client_id, now) > 0)
      this.report.alarm({ clientId: client_id }, 'a client fails to authenticate again and again')
  }

  /**
   * Answers a client that is believed. One that proved who it is counts for itself, and no longer for where it comes from. Of one that
   * cannot prove it, everybody can use the name: it counts for where it comes from, and so nobody can use up what is another's.
   * @throws OAuthError 429, and what the answer throws
   */
  async answer<T>(client: LimitedClient, network: string, answer: () => Promise<T>): Promise<T> {
    const proved = client.auth_method !== 'none'
    if (proved) this.#countClient(client.client_id, network)
    const sender = proved ? client.client_id : network
    const others = this.#inFlight.get(sender) ?? 0
    const { CLIENT_IN_FLIGHT } = this.settings
    if (CLIENT_IN_FLIGHT > 0 && others >= CLIENT_IN_FLIGHT) this.#refuse('client-in-flight', sender, 1)
    this.#inFlight.set(sender, others + 1)
    try {
      return await answer()
    } finally {
      this.#leave(sender)
    }
  }

  #countClient(clientId: string, network: string): void {
    this.#networks.giveBack(network)
    const wait = this.#clients.take(clientId, this.now())
    if (wait > 0) this.#refuse('client-rate', clientId, wait)
  }

  #leave(sender: string): void {
    const left = (this.#inFlight.get(sender) ?? 1) - 1
    if (left > 0) this.#inFlight.set(sender, left)
    else this.#inFlight.delete(sender)
  }

  #refuse(reason: LimitReason, sender: string, wait: number): never {
    this.report.refused(reason)
    throw tooManyRequests('Too many requests: try again later.', wait, `${reason} of ${sender}`)
  }
}

const atRate = (perSecond: number) =>
  new Buckets(perSecond === 0 ? 0 : 1 / perSecond, perSecond * burstSeconds)
const pairOf = (clientId: string, network: string) => `${network} ${clientId}`
