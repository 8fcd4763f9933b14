import { describeWithKafka } from '@grantlog/testing'
import { describe, expect, it } from '@jest/globals'
import { run } from './history/run.js'

// A seed that failed stays here.
const seeds = { embedded: [1], kafka: [1] }
const milliseconds = 20_000

function everythingIsAsItMustBe(transport: 'embedded' | 'kafka') {
  it.each(seeds[transport])(
    'with seed %d nothing is lost, doubled or wrong',
    async seed => {
      const { findings, operations } = await run({ seed, milliseconds, transport, told: () => undefined })
      expect(findings).toEqual([])
      // a run in which next to nothing was done shows nothing
      expect(operations.ok).toBeGreaterThan(100)
    },
    240_000,
  )
}

describe('many clients, two instances of each service, and faults, on the embedded transport', () =>
  everythingIsAsItMustBe('embedded'))
describeWithKafka('many clients, two instances of each service, and faults, on Kafka', () =>
  everythingIsAsItMustBe('kafka'),
)
