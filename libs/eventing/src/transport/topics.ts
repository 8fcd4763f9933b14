import { type Topic, topics } from '@grantlog/contracts'

/** Every event is kept for good, and never compacted. */
export const topicSettings: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
}

export interface ExistingTopic {
  readonly name: string
  readonly partitions: number
  readonly settings: ReadonlyMap<string, string>
}

/** @param prefix stands before every name; none in production */
export const topicName = (topic: Topic, prefix = '') => `${prefix}${topics[topic].name}`

export function wantedTopics(prefix?: string): { name: string; partitions: number }[] {
  return (Object.keys(topics) as Topic[]).map(topic => ({
    name: topicName(topic, prefix),
    partitions: topics[topic].partitions,
  }))
}

/** How what exists differs from what must be, each in a sentence. */
export function differences(
  wanted: readonly { name: string; partitions: number }[],
  existing: readonly ExistingTopic[],
): string[] {
  return wanted.flatMap(({ name, partitions }) => {
    const topic = existing.find(each => each.name === name)
    if (topic === undefined) return [`${name} is missing`]
    const wrong = Object.entries(topicSettings).flatMap(([setting, value]) => {
      const is = topic.settings.get(setting)
      return is === value ? [] : [`${name} has ${setting}=${is} instead of ${value}: events would be lost`]
    })
    return topic.partitions === partitions
      ? wrong
      : [
          `${name} has ${topic.partitions} partitions instead of ${partitions}: the order of streams would break`,
          ...wrong,
        ]
  })
}
