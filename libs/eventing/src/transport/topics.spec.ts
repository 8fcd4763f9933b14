import { describe, expect, it } from '@jest/globals'
import { differences, topicSettings, wantedTopics } from './topics.js'

const right = wantedTopics('one.').map(topic => ({
  ...topic,
  settings: new Map(Object.entries(topicSettings)),
}))

describe('topics', () => {
  it('are those of the catalogue, each with its prefix', () => {
    expect(wantedTopics('one.')).toContainEqual({ name: 'one.grantlog.revocations.v1', partitions: 3 })
    expect(wantedTopics()).toContainEqual({ name: 'grantlog.clients.v1', partitions: 12 })
  })

  it('that are as they must be give nothing to say', () => {
    expect(differences(wantedTopics('one.'), right)).toEqual([])
  })

  it.each([
    ['missing', right.slice(1), `${right[0]?.name} is missing`],
    [
      'with other partitions',
      right.map((topic, index) => (index === 0 ? { ...topic, partitions: 1 } : topic)),
      `${right[0]?.name} has 1 partitions instead of ${right[0]?.partitions}: the order of streams would break`,
    ],
    [
      'that forget',
      right.map((topic, index) =>
        index === 0
          ? { ...topic, settings: new Map([...topic.settings, ['retention.ms', '604800000']]) }
          : topic,
      ),
      `${right[0]?.name} has retention.ms=604800000 instead of -1: events would be lost`,
    ],
  ])('%s are told', (_, existing, sentence) => {
    expect(differences(wantedTopics('one.'), existing)).toEqual([sentence])
  })
})
