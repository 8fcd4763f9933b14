import { type Reader, readersOf, type Topic, topics } from '@grantlog/contracts'
import { applyTopics, type KafkaOptions, KafkaSink, KafkaTransport, verifyTopics } from '@grantlog/eventing'
import { describeWithKafka } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { confidentialClient } from './clients.js'
import { Ada, type OwnSystem, startSystem } from './running-system.js'

const users = ['clients', 'consent', 'token', 'resource'] as const satisfies Reader[]
const all = Object.keys(topics) as Topic[]

describeWithKafka('on Kafka', () => {
  let running: OwnSystem
  beforeAll(async () => {
    running = await startSystem('kafka')
    // so that every topic that is read holds an event
    const [client, ada] = [await confidentialClient(running), new Ada(running)]
    const url = await client.authorizationUrl('invoices:read')
    const { refreshToken } = await client.redeem(await ada.answer(url, client.redirectUri))
    await client.revoke(refreshToken)
  })
  afterAll(() => running?.stop())

  /** Kafka as one of the services, or as somebody with that login. */
  function as(user: Reader | 'admin', change: Partial<KafkaOptions> = {}): KafkaOptions {
    const { brokers, topicPrefix, passwords } = running.backbone.kafka ?? { brokers: [], topicPrefix: '' }
    const sasl = { mechanism: 'scram-sha-512', username: user, password: passwords?.[user] ?? '' } as const
    return { clientId: `grantlog-${user}`, brokers, topicPrefix, sasl, ...change }
  }

  async function write(options: KafkaOptions, topic: Topic): Promise<void> {
    const sink = new KafkaSink(options)
    const forged = { key: 'client-1', value: '{}', previous: 0, time: new Date() }
    await sink.send([{ topic, partition: 0, ...forged }]).finally(() => sink.close())
  }

  /** The first thing that a consumer from the beginning hears: an event, or why it hears none. */
  async function read(options: KafkaOptions, topic: Topic): Promise<unknown> {
    const transport = new KafkaTransport(options)
    try {
      return await new Promise((resolve, reject) => {
        const begin = () => ({ lastSeq: {}, nextOffset: null })
        const deliver = async () => resolve('an event')
        void transport.subscribe({ name: 'spec', topics: [topic], begin, deliver, trouble: reject })
      })
    } finally {
      await transport.close()
    }
  }

  const pairs = users.flatMap(user => all.map(topic => [user, topic] as const))
  const mayWrite = ([user, topic]: readonly [Reader, Topic]) =>
    (topics[topic].writers as readonly Reader[]).includes(user)
  const mayRead = ([user, topic]: readonly [Reader, Topic]) => readersOf(topic).includes(user)

  describe('a service', () => {
    it.each(pairs.filter(pair => !mayWrite(pair)))('%s writes no event to %s', async (user, topic) => {
      await expect(write(as(user), topic)).rejects.toThrow('Not authorized to access topics')
    })

    it.each(pairs.filter(pair => !mayRead(pair) && !mayWrite(pair)))(
      '%s is not told what %s holds',
      async (user, topic) => {
        await expect(read(as(user), topic)).rejects.toThrow('Not authorized to access topics')
      },
    )

    it('token reads its own events from its log: not from Kafka, where it only writes them', async () => {
      await expect(read(as('token'), 'keys')).rejects.toThrow('Not authorized to access topics')
    })

    it.each(pairs.filter(pair => mayRead(pair)))('%s reads what it needs of %s', async (user, topic) => {
      await expect(read(as(user), topic)).resolves.toBe('an event')
    })

    it('joins no consumer group of another one', async () => {
      const options = as('consent', { clientId: 'grantlog-token' })
      await expect(read(options, 'clients')).rejects.toMatchObject({
        name: 'KafkaJSGroupCoordinatorNotFound',
      })
    })

    it('creates no topic', async () => {
      const elsewhere = as('token', { topicPrefix: `${running.backbone.kafka?.topicPrefix}other.` })
      await expect(applyTopics(elsewhere)).rejects.toMatchObject({
        errors: expect.arrayContaining([expect.objectContaining({ type: 'TOPIC_AUTHORIZATION_FAILED' })]),
      })
    })
  })

  it.each([
    ['nobody', { sasl: undefined }],
    [
      'who does not know the password',
      { sasl: { mechanism: 'scram-sha-512', username: 'token', password: 'x' } },
    ],
  ] as const)('%s is not let in', async (_, { sasl }) => {
    const { sasl: _sasl, ...options } = as('token')
    await expect(verifyTopics({ ...options, ...(sasl && { sasl }) })).rejects.toThrow()
    await expect(verifyTopics(as('admin'))).resolves.toEqual([])
  })

  it('a service does what it needs: the log of each is published to its end, and what they say is read', async () => {
    for (const service of users) {
      const ready = await fetch(`${running.installation.url(service)}/health/ready`)
      expect(await ready.json()).toMatchObject({ status: 'ready' })
    }
    expect(await read(as('admin'), 'grants')).toBe('an event')
  })
})
