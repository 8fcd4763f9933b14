import type { Topic } from '@grantlog/contracts'
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs'
// @ts-expect-error: not of its interface, and without types
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { topicName } from './topics.js'

// kafkajs 2.2.4 re-arms a timer per connection every millisecond, for ever. Nothing pending, no throttle: nothing to check.
const queue: {
  prototype: { pending: unknown[]; throttledUntil: number; scheduleCheckPendingRequests(): void }
} = RequestQueue
const schedule = queue.prototype.scheduleCheckPendingRequests
queue.prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
}

// Passed to every client and consumer: a consumer has its own default, and NODE_ENV=test changes all of them.
export const retry = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  multiplier: 1.5,
  retries: Number.MAX_SAFE_INTEGER,
}

export interface KafkaOptions {
  readonly clientId: string
  readonly brokers: readonly string[]
  /** Put before every topic name; empty in production. */
  readonly topicPrefix?: string
  /** undefined: the broker is not told who we are. */
  readonly sasl?: KafkaLogin
  /** With the authorities that Node trusts, or with others, as PEM. Default: no TLS. */
  readonly tls?: true | { readonly ca: readonly string[] }
  /** Another client than kafkajs: the simulation's. */
  readonly client?: () => Kafka
}

export interface KafkaLogin {
  readonly mechanism: 'scram-sha-512' | 'scram-sha-256' | 'plain'
  readonly username: string
  readonly password: string
}

export function client(options: KafkaOptions, retries = retry.retries): Kafka {
  if (options.client) return options.client()
  return new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    ...(options.sasl && { sasl: options.sasl as SASLOptions }), // its type wants to know which mechanism it is
    ...(options.tls && { ssl: options.tls === true || { ca: [...options.tls.ca] } }),
    retry: { ...retry, retries },
    requestTimeout: 5_000, // a connection that the network forgot must not cost a minute
    logLevel: kafkajs.logLevel.NOTHING,
  })
}

export const nameOf = ({ topicPrefix }: KafkaOptions, topic: Topic) => topicName(topic, topicPrefix)
