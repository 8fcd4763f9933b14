import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Freshness, followRevocations, RevocationSet } from '@grantlog/resource-guard'
import { describeWhere, exampleConsumers } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { check, type Result } from './check.js'
import { CommandConsumer, ProbedConsumer } from './consumer.js'
import { httpCases } from './http-cases.js'
import { HttpFeed } from './http-feed.js'

const root = join(import.meta.dirname, '../../..')
const script = join(root, 'docs/examples/consume-revocations/curl/revocations.sh')
const folder = join(root, 'test-artefacts', `feed-check-${randomUUID().slice(0, 8)}`)
const staleAfter = 3
const patience = { within: 20, staleAfter }

const results = (command: readonly string[], cases = httpCases) =>
  check({
    cases,
    feed: () => new HttpFeed({ port: 0 }),
    consumer: () => new CommandConsumer([...command, '{url}', '{tokenFile}', String(staleAfter)]),
    patience,
  })
const isNotPassed = ({ outcome }: Result) => outcome !== 'passed'

const curl = exampleConsumers.find(({ language }) => language === 'curl')
describeWhere(
  curl?.available ?? { ok: false, reason: 'There is no example with curl' },
  'the example with curl',
  () => {
    const wrong: readonly {
      consumer: string
      edit: [from: string, to: string]
      fails: string
      says: RegExp
    }[] = [
      {
        consumer: 'takes every answer for a sign of life',
        edit: ['heard=$(jq', 'heard=$EPOCHSECONDS; : $(jq'],
        fails: 'a source that falls silent',
        says: /^It trusted its memory 8 s after clients was heard last: the feed is as old as the oldest time/,
      },
      {
        consumer: 'trusts its memory while nobody answers',
        edit: ['EPOCHSECONDS - heard <= stale_after', '1'],
        fails: 'a server that is gone',
        says: /^It trusted its memory 8 s after the last answer/,
      },
      {
        consumer: 'gives up when it is refused',
        edit: ['else sleep 1 & wait "$!"; fi', 'else exit 5; fi'],
        fails: 'a connection that is cut off, and a server that is busy',
        says: /^It stopped\. Come back after a moment, with the last cursor/,
      },
      {
        consumer: 'keeps its first token',
        edit: ['$(<"$token_file")', '$(cat "$page.token" 2>/dev/null || tee "$page.token" <"$token_file")'],
        fails: 'a token that has ended',
        says: /The token ends before the feed does: get another one/,
      },
      {
        consumer: 'leaves out what was revoked before it began',
        edit: [
          'take() {',
          'take() {\n  [[ $cursor == \'\' ]] && printf \'%s\' "$(jq -c \'.events = []\' "$page")" >"$page"',
        ],
        fails: 'revoked half an hour before it started',
        says: /^It holds 0 of 3; .*Begin an hour back/,
      },
    ]

    /** They wait more than they work: all are looked at together. */
    const found = new Map<string, Result[]>()
    beforeAll(async () => {
      await mkdir(folder, { recursive: true })
      const text = await readFile(script, 'utf8')
      await Promise.all([
        results(['bash', script]).then(all => found.set('right', all)),
        ...wrong.map(async ({ consumer, edit: [from, to], fails }) => {
          if (!text.includes(from)) throw new Error(`The example does not hold “${from}”`)
          const file = join(folder, `${consumer.replaceAll(' ', '-')}.sh`)
          await writeFile(
            file,
            text.replace(from, () => to),
          )
          const cases = httpCases.filter(({ name }) => name === fails)
          found.set(consumer, await results(['bash', file], cases))
        }),
      ])
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    it('passes all', () => {
      expect(found.get('right')).toHaveLength(httpCases.length)
      expect(found.get('right')?.filter(isNotPassed)).toEqual([])
    })

    it.each(wrong)('is caught where it $consumer', ({ consumer, says }) => {
      expect(found.get(consumer)).toMatchObject([{ outcome: 'failed', because: expect.stringMatching(says) }])
    })
  },
)

describe('the guard', () => {
  it('passes all, but for being started again', async () => {
    const revocations = new RevocationSet()
    const freshness = new Freshness(['clients', 'consent', 'token'])
    const server = createServer(({ url }, response) => {
      const asked = new URL(url ?? '', 'http://localhost').searchParams
      const { kind = '', id = '', iat } = Object.fromEntries(asked)
      const other = { tokenId: '', clientId: '', subject: '', keyId: '', issuedAt: Number(iat) }
      const named = { [claims[kind as keyof typeof claims]]: id }
      if (revocations.revokedBy({ ...other, ...named }) !== undefined) response.writeHead(401).end()
      else response.writeHead(freshness.stalenessSeconds(new Date()) > staleAfter ? 503 : 200).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const feed = new HttpFeed({ port: 0 })
    const opened = feed.open.bind(feed)
    let following: ReturnType<typeof followRevocations> | undefined
    feed.open = async earlier => {
      await opened(earlier)
      const { url, tokenFile } = feed.address
      const accessToken = () => readFile(tokenFile, 'utf8')
      following = followRevocations({ url: `${url}/revocations`, accessToken, revocations, freshness })
    }
    try {
      const { port } = server.address() as AddressInfo
      const found = await check({
        cases: httpCases,
        feed: () => feed,
        consumer: () => new ProbedConsumer(`http://127.0.0.1:${port}/probe`),
        patience,
      })
      expect(found.filter(isNotPassed)).toMatchObject([{ name: 'a restart', outcome: 'left out' }])
    } finally {
      await following?.stop()
      server.close()
    }
  })
})

const claims = {
  token: 'tokenId',
  family: 'familyId',
  grant: 'grantId',
  client: 'clientId',
  owner: 'subject',
  organization: 'organizationId',
  key: 'keyId',
} as const
