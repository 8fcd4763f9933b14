// Keeps the set of what is revoked, from Kafka: node revocations.ts BROKERS [TOPIC_PREFIX] [STALE_AFTER_SECONDS]
// Logs in where KAFKA_USERNAME and KAFKA_PASSWORD are set; KAFKA_TLS=on.
import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'

const [brokers = '', prefix = '', staleAfter = '10'] = process.argv.slice(2)
const topic = `${prefix}grantlog.revocations.v1`
const sources = ['clients', 'consent', 'token']
const hour = 3_610_000 // no token lives longer, plus the clocks' difference
const revoked = new Map<string, { cutoff: number | null; since: number }>() // by kind and id: what a token is compared with
const last = new Map<string, number>() // by partition and source: the last logseq
const heard = new Map<string, number>() // by partition and source: when it had said everything
let state = 'starting'

const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password = '', KAFKA_TLS } = process.env
const sasl =
  username === undefined ? {} : { sasl: { mechanism: 'scram-sha-512' as const, username, password } }
const kafka = new kafkajs.Kafka({
  brokers: brokers.split(','),
  ssl: KAFKA_TLS === 'on',
  logLevel: kafkajs.logLevel.ERROR,
  ...sasl,
})
const admin = kafka.admin()
await admin.connect()
const begins = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() - hour)
await admin.disconnect()

const consumer = kafka.consumer({ groupId: `our-team.${randomUUID()}` }) // a group of one: it reads every partition
consumer.on(consumer.events.GROUP_JOIN, () => {
  for (const { partition, offset } of begins) consumer.seek({ topic, partition, offset })
})
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ partition, message: { value, headers } }) =>
    take(partition, JSON.parse(String(value)), Number(String(headers?.previous))),
})
setInterval(look, 250)
process.once('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)))

// biome-ignore lint/suspicious/noExplicitAny: the schema is libs/contracts/generated/asyncapi.json
function take(partition: number, { type, source, logseq, data }: any, previous: number) {
  const place = `${partition} ${source}`
  const known = last.get(place) // none: what came before, we did not read
  if (type === 'feed.heartbeat.v1') {
    if (data.logSeq > (known ?? data.logSeq)) stop(`${place}: ${data.logSeq} never came, only ${known}`)
    last.set(place, known ?? data.logSeq)
    heard.set(place, Math.max(Date.parse(data.time), heard.get(place) ?? 0))
    return look()
  }
  if (known !== undefined && logseq <= known) return // a duplicate
  if (known !== undefined && previous !== known) stop(`${place}: a gap between ${known} and ${logseq}`)
  last.set(place, logseq)
  if (type === 'token.revoked.v1') revoke(data.target, data.issuedBefore)
}

function revoke({ kind, id }: { kind: string; id: string }, issuedBefore: number | null) {
  const before = revoked.get(`${kind} ${id}`)?.cutoff
  if (before === null || (before !== undefined && issuedBefore !== null && before >= issuedBefore)) return
  revoked.set(`${kind} ${id}`, { cutoff: issuedBefore, since: Date.now() })
  console.log(JSON.stringify({ kind, id, issuedBefore }))
}

function look() {
  const places = begins.flatMap(({ partition }) => sources.map(source => `${partition} ${source}`))
  const oldest = Math.min(...places.map(place => heard.get(place) ?? 0))
  const now = Date.now() - oldest <= Number(staleAfter) * 1000 ? 'ready' : 'stale'
  if (now !== state && (now === 'ready' || state === 'ready')) console.log(JSON.stringify({ state: now }))
  if (now === 'ready' || state === 'ready') state = now // until it was ready once, it is starting
  for (const [target, { since }] of revoked)
    if (since < Date.now() - hour && !target.startsWith('key ')) revoked.delete(target)
}

function stop(why: string): never {
  console.error(why)
  process.exit(1)
}
