import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describeWhere, describeWithKafka, exampleConsumers, testKafka } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { check, type Result } from './check.js'
import { CommandConsumer, ProbedConsumer } from './consumer.js'
import { kafkaCases } from './kafka-cases.js'
import { KafkaFeed } from './kafka-feed.js'

const root = join(import.meta.dirname, '../../..')
const example = join(root, 'docs/examples/consume-revocations/typescript/revocations.ts')
const folder = join(root, 'test-artefacts', `feed-check-${randomUUID().slice(0, 8)}`) // where kafkajs is found
const staleAfter = 3

interface Tried {
  readonly cases: typeof kafkaCases
  readonly env: Readonly<Record<string, string>>
  readonly within: number
}

describeWithKafka('feed-check on Kafka', () => {
  let brokers: string[]
  beforeAll(async () => {
    brokers = (await testKafka()).brokers
    await mkdir(folder, { recursive: true })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const results = (
    command: readonly string[],
    { cases = kafkaCases, env = {}, within = 30 }: Partial<Tried> = {},
  ) =>
    check({
      cases,
      feed: () =>
        new KafkaFeed({ clientId: 'feed-check', brokers, topicPrefix: `${randomUUID().slice(0, 8)}.` }),
      consumer: () => new CommandConsumer([...command, '{brokers}', '{prefix}', String(staleAfter)], env),
      patience: { within, staleAfter },
    })

  for (const { language, available, prepare } of exampleConsumers.filter(each => each.language !== 'curl')) {
    describeWhere(available, `the example in ${language}`, () => {
      it('passes all', async () => {
        const { command, env } = await prepare()
        expect((await results(command, env === undefined ? {} : { env })).filter(isNotPassed)).toEqual([])
      })
    })
  }

  /** They wait more than they work: all are looked at together. */
  const wrong: readonly { consumer: string; edits: Record<string, string>; fails: string[]; says: RegExp }[] =
    [
      {
        consumer: 'ignores gaps',
        edits: { 'if (known !== undefined && previous !== known) stop': 'if (false) stop' },
        fails: ['a gap'],
        says: /It went on after a gap as if nothing were missing/,
      },
      {
        consumer: 'takes a duplicate for an error',
        edits: { 'return // a duplicate': "stop('a duplicate')" },
        fails: ['messages that come twice'],
        says: /^It stopped\. A message whose logseq is not above the last is a duplicate: .*“a duplicate”$/,
      },
      {
        consumer: 'reads one partition only',
        edits: {
          'take(partition, JSON': 'partition === 0 && take(partition, JSON',
          'begins.flatMap(': 'begins.filter(each => each.partition === 0).flatMap(',
        },
        fails: ['revocations on all three partitions'],
        says: /It holds 2 of 6; what is missing was on partition 1, 2\. Read all three partitions/,
      },
      {
        consumer: 'ignores heartbeats',
        edits: {
          "if (type === 'feed.heartbeat.v1') {": "if (type === 'feed.heartbeat.v1') {\n    return",
          "Date.now() - oldest <= Number(staleAfter) * 1000 ? 'ready' : 'stale'":
            "oldest < 0 ? 'stale' : 'ready'",
        },
        fails: [
          'a source that falls silent on one partition',
          'heartbeats that stop',
          'a heartbeat that tells of what never came',
        ],
        says: /It trusted its memory \d+ s after|It went on although a heartbeat told of a number that never came/,
      },
      {
        consumer: 'begins at the present',
        edits: { 'Date.now() - hour)\nawait': 'Date.now())\nawait' },
        fails: ['revoked half an hour before it started'],
        says: /It holds 0 of 3; .*Begin an hour back/,
      },
      {
        consumer: 'leaves unknown events out of the chain',
        edits: {
          'return // a duplicate': "return\n  if (type !== 'token.revoked.v1') return",
        },
        fails: ['an event type that it does not know'],
        says: /^It stopped\. Ignore event types that you do not know; they are links of the chain all the same/,
      },
    ]
  describe('catches a consumer that', () => {
    const found = new Map<string, Result[]>()
    beforeAll(async () => {
      await Promise.all(
        wrong.map(async ({ consumer, edits, fails }) => {
          const file = join(folder, `${consumer.replaceAll(' ', '-')}.ts`)
          await writeFile(file, edited(await readFile(example, 'utf8'), edits))
          const cases = kafkaCases.filter(({ name }) => fails.includes(name))
          found.set(consumer, await results([process.execPath, file], { cases }))
        }),
      )
    })

    it.each(wrong)('$consumer', ({ consumer, fails, says }) => {
      const outcomes = found.get(consumer)?.map(({ name, outcome }) => [name, outcome])
      expect(outcomes).toEqual(fails.map(name => [name, 'failed']))
      for (const { because } of found.get(consumer) ?? []) expect(because).toMatch(says)
    })
  })

  it('asks a consumer that somebody else has started, and tries one case that ends it', async () => {
    const inner = new CommandConsumer([
      process.execPath,
      example,
      '{brokers}',
      '{prefix}',
      String(staleAfter),
    ])
    const server = createServer(async ({ url }, response) => {
      const asked = new URL(url ?? '', 'http://localhost').searchParams
      const target = { kind: asked.get('kind') ?? '', id: asked.get('id') ?? '' }
      const statuses = { allowed: 200, revoked: 401, refuses: 503, ended: 503 }
      response.writeHead(statuses[await inner.ask(target, Number(asked.get('iat')))]).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    class FeedWithReader extends KafkaFeed {
      override async open(earlier: Parameters<KafkaFeed['open']>[0]): Promise<void> {
        await super.open(earlier)
        await inner.start(this)
      }
    }
    const tried = [
      'a revocation of each kind, with a cutoff and without',
      'a restart',
      'heartbeats that stop',
      'a gap',
      'a heartbeat that tells of what never came',
    ]
    try {
      const topicPrefix = `${randomUUID().slice(0, 8)}.`
      const found = await check({
        cases: kafkaCases.filter(({ name }) => tried.includes(name)),
        feed: () => new FeedWithReader({ clientId: 'feed-check', brokers, topicPrefix }),
        consumer: () => new ProbedConsumer(`http://127.0.0.1:${port}/probe`),
        patience: { within: 30, staleAfter },
      })
      expect(found.map(({ outcome, because }) => [outcome, because])).toEqual([
        ['passed', undefined],
        ['left out', 'Only a command can be restarted.'],
        ['passed', undefined],
        ['passed', undefined],
        ['left out', 'The consumer was ended by the case before: it needs a new one.'],
      ])
    } finally {
      await inner.stop()
      server.close()
    }
  })

  it('is a command that ends with 1 when something is wrong', async () => {
    const file = join(folder, 'deaf.mjs')
    await writeFile(file, 'process.stderr.write("no configuration\\n")\nprocess.exitCode = 4\n')
    const args = ['--brokers', brokers.join(','), '--json', '--', process.execPath, file]
    const { code, output } = await run([join(root, 'libs/feed-check/bin/feed-check.mjs'), ...args])
    expect(code).toBe(1)
    const [first, second] = JSON.parse(output) as Result[]
    expect(first).toMatchObject({ outcome: 'failed', because: expect.stringContaining('“no configuration”') })
    expect(second).toMatchObject({ outcome: 'left out', because: 'No consumer became ready.' })
  })
})

const isNotPassed = ({ outcome }: Result) => outcome !== 'passed'

/** @throws Error where the example no longer holds what is to be edited */
function edited(text: string, edits: Readonly<Record<string, string>>): string {
  return Object.entries(edits).reduce((now, [from, to]) => {
    if (!now.includes(from)) throw new Error(`The example does not hold “${from}”`)
    return now.replace(from, () => to)
  }, text)
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, args, (_, output) =>
      resolve({ code: child.exitCode ?? -1, output }),
    )
  })
}
