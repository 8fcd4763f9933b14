import { type Topic, topics } from '@grantlog/contracts'
import kafkajs, { type Admin } from 'kafkajs'
import { client, type KafkaOptions, nameOf, retry } from './kafka-client.js'
import { differences, topicSettings, wantedTopics } from './topics.js'

const maxTries = 60

/** Creates the topics that are missing, and says how existing ones differ from what they must be. Changes nothing that exists. */
export async function applyTopics(options: KafkaOptions): Promise<{ created: string[]; wrong: string[] }> {
  const created = new Set<string>()
  return withAdmin(options, async admin => {
    const existing = new Set(await admin.listTopics())
    const missing = wantedTopics(options.topicPrefix).filter(({ name }) => !existing.has(name))
    for (const { name } of missing) created.add(name)
    await create(admin, missing)
    return { created: [...created], wrong: await findWrong(admin, options) }
  })
}

/** Creates a topic if it is missing, and says whether it was. @throws Error when it exists otherwise than it must be */
export async function ensureTopic(options: KafkaOptions, topic: Topic): Promise<boolean> {
  let missing = false
  await withAdmin(options, async admin => {
    const name = nameOf(options, topic)
    const existing = await admin.listTopics()
    if (!existing.includes(name)) {
      missing = true
      await create(admin, [{ name, partitions: topics[topic].partitions }])
    }
    const wrong = await findWrong(admin, options)
    const partitions = wrong.find(sentence => sentence.startsWith(`${name} has`))
    if (partitions !== undefined)
      throw new Error(
        `${partitions}. Correct that first, or delete the topic: it is created where it is missing.`,
      )
  })
  return missing
}

/** Deletes a topic with all that is on it. For those that were made to try something. */
export async function deleteTopic(options: KafkaOptions, topic: Topic): Promise<void> {
  await withAdmin(options, admin => admin.deleteTopics({ topics: [nameOf(options, topic)] }))
}

/** The offset after the last record of each partition. */
export async function topicEnds(options: KafkaOptions, topic: Topic): Promise<Map<number, number>> {
  return withAdmin(options, async admin => {
    const offsets = await admin.fetchTopicOffsets(nameOf(options, topic))
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  })
}

/** Removes the records before an offset of each partition. Offsets stay what they are. */
export async function deleteRecordsBefore(
  options: KafkaOptions,
  topic: Topic,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  await withAdmin(options, async admin => {
    const name = nameOf(options, topic)
    await admin.fetchTopicOffsets(name) // else this client does not know who leads the partitions
    const partitions = [...offsets].filter(([, offset]) => offset > 0)
    if (partitions.length === 0) return
    await admin.deleteTopicRecords({
      topic: name,
      partitions: partitions.map(([partition, offset]) => ({ partition, offset: String(offset) })),
    })
  })
}

/** Creates topics and waits until each partition has a leader. A topic of that name that is being deleted takes a while to go. */
async function create(
  admin: Admin,
  wanted: readonly { readonly name: string; readonly partitions: number }[],
): Promise<void> {
  for (let tries = 1, missing = wanted; missing.length > 0; tries++) {
    if (tries > maxTries) throw new Error(`${missing.map(({ name }) => name).join(', ')} can not be created`)
    if (tries > 1) await pause()
    await admin.createTopics({
      waitForLeaders: false, // it would throw where a topic is not known everywhere yet
      topics: missing.map(({ name, partitions }) => ({
        topic: name,
        numPartitions: partitions,
        configEntries: Object.entries(topicSettings).map(([setting, value]) => ({ name: setting, value })),
      })),
    })
    const { topics: found } = await admin.fetchTopicMetadata({ topics: missing.map(({ name }) => name) })
    const led = new Set(
      found.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0)).map(({ name }) => name),
    )
    missing = missing.filter(({ name }) => !led.has(name))
  }
}

/** How the topics differ from what they must be, each in a sentence. */
export async function verifyTopics(options: KafkaOptions): Promise<string[]> {
  return withAdmin(options, admin => findWrong(admin, options))
}

async function findWrong(admin: Admin, options: KafkaOptions): Promise<string[]> {
  const existing = new Set(await admin.listTopics())
  const names = wantedTopics(options.topicPrefix)
    .map(({ name }) => name)
    .filter(name => existing.has(name))
  // asked about no topic, a broker tells of all of them, or refuses
  if (names.length === 0) return differences(wantedTopics(options.topicPrefix), [])
  const { topics: found } = await admin.fetchTopicMetadata({ topics: names })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map(name => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  })
  return differences(
    wantedTopics(options.topicPrefix),
    found.map(({ name, partitions }) => ({
      name,
      partitions: partitions.length,
      settings: new Map(
        resources
          .find(({ resourceName }) => resourceName === name)
          ?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    })),
  )
}

/**
 * Asks as an administrator. Just after a topic was created, a broker may not know it, or not lead it, yet: then again.
 * @param work changes nothing that a second time would change
 */
export async function withAdmin<T>(options: KafkaOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
  // asked for by a person or a start: not being there is an answer too
  const admin = client(options, 6).admin({ retry: { ...retry, retries: 6 } })
  await admin.connect()
  try {
    for (let tries = 1; ; tries++) {
      try {
        return await work(admin)
      } catch (error) {
        if (!(error instanceof kafkajs.KafkaJSProtocolError) || !error.retriable || tries === maxTries)
          throw error
        await pause()
      }
    }
  } finally {
    await admin.disconnect()
  }
}

const pause = () => new Promise(resolve => setTimeout(resolve, 250))
