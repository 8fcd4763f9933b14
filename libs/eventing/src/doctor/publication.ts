import { type Topic, topics } from '@grantlog/contracts'
import { readDetached } from '../detached.js'
import { eventTopics } from '../event-types.js'
import { lockIsHeld, rebuildIsAtWork } from '../hold.js'
import { partitionOf } from '../partition.js'
import { olderThanRead } from './checkpoints.js'
import { bad, type Check, type Finding, fine, logIsOlder, type Patient } from './finding.js'

const name = 'publisher'
const batch = 5000

/** Whether the publisher stands within its log, goes on, and knows what it published last to each partition. */
export const publication: Check = async patient => {
  const { service, db } = patient
  const { rows } = await db.query<{
    cursor: number
    last: number
    hold: string
    rebuild: boolean
    owned: boolean
  }>(
    `select cursor::float8, last_seq::float8 as last, hold, ${rebuildIsAtWork} as rebuild, ${lockIsHeld('log')} as owned
     from publisher, log_end`,
  )
  const [found] = rows
  if (found === undefined)
    return [
      bad(name, service, 'error', 'the publisher’s row is missing', 'Restore the database from a backup.'),
    ]
  const findings: Finding[] = []
  const { cursor, last, hold, rebuild, owned } = found
  if (cursor > last)
    findings.push(
      bad(
        logIsOlder,
        service,
        'error',
        `its publisher has sent up to ${cursor}, but the log ends at ${last}`,
        olderThanRead(service),
      ),
    )
  if (hold !== 'none' && rebuild)
    findings.push(fine(name, service, 'it is on hold: a rebuild of a topic is at work'))
  else if (hold !== 'none' && owned)
    findings.push(
      bad(
        name,
        service,
        'warning',
        'it is on hold, and the rebuild that asked for it has ended',
        `It goes on by itself within a second. If it does not, an instance of ${service} hangs: grantlog doctor --repair ends the hold.`,
      ),
    )
  const wrong = cursor > 0 && cursor <= last ? await wrongHeads(patient, cursor) : []
  if (wrong.length > 0)
    findings.push(
      bad(
        name,
        service,
        'error',
        `it does not know what it published last: ${wrong.join('; ')}`,
        `Run ${[...new Set(wrong.map(text => `grantlog topics rebuild ${text.split('[')[0]}`))].join(', then ')}.`,
      ),
    )
  if (findings.length > 0) return findings
  return [
    fine(
      name,
      service,
      cursor === 0
        ? 'nothing was published yet'
        : `published up to ${cursor} of ${last}, and each partition’s end is known`,
    ),
  ]
}

/** Where `published` is not what the log says up to the cursor. Looks from there backwards, until every partition was met. */
async function wrongHeads({ service, db }: Patient, cursor: number): Promise<string[]> {
  const own = (Object.keys(topics) as Topic[]).filter(topic =>
    topics[topic].writers.some(writer => writer === service),
  )
  const places = own.reduce((sum, topic) => sum + topics[topic].partitions, 0)
  const known = await eventTopics(db)
  const heads = new Map<string, number>()
  const detached = await readDetached(db)
  for (let upTo = cursor; upTo > detached.upTo && heads.size < places; upTo -= batch) {
    const { rows } = await db.query<{ log_seq: string; type: string; stream_id: string }>(
      'select log_seq, type, stream_id from events where log_seq <= $1 and log_seq > $2 order by log_seq desc',
      [upTo, Math.max(upTo - batch, detached.upTo)],
    )
    for (const { log_seq, type, stream_id } of rows) {
      const topic = known.get(type)
      if (topic === undefined) continue
      const place = `${topic}[${partitionOf(topic, stream_id)}]`
      if (!heads.has(place)) heads.set(place, Number(log_seq))
    }
  }
  for (const [place, logSeq] of detached.heads) {
    const head = `${place.replace(':', '[')}]`
    if (!heads.has(head)) heads.set(head, logSeq)
  }
  const { rows } = await db.query<{ topic: string; partition: number; log_seq: string }>(
    'select topic, partition, log_seq from published',
  )
  const said = new Map(rows.map(row => [`${row.topic}[${row.partition}]`, Number(row.log_seq)]))
  return [...new Set([...heads.keys(), ...said.keys()])]
    .filter(place => heads.get(place) !== said.get(place))
    .sort()
    .map(place => `${place} ends at ${heads.get(place) ?? 0}, not at ${said.get(place) ?? 0}`)
}

/** Ends a hold whose rebuild has ended. @returns whether there was one */
export async function repairHold(db: Patient['db']): Promise<boolean> {
  const { rowCount } = await db.query(
    `update publisher set hold = 'none' where hold <> 'none' and not ${rebuildIsAtWork}`,
  )
  return rowCount === 1
}
