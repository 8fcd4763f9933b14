import { timeOrderedId } from '@grantlog/contracts'
import { type Append, Commands, EventStore } from '@grantlog/eventing'
import { type Figure, figure, median } from '../benchmark.js'
import type { Ground } from './ground.js'
import { durations, rate, sideBySide } from './rounds.js'
import { actor, family, issued, now } from './workload.js'

const writers = 64
/** A family is begun, and refreshed so many times, before its writer begins another. */
const commandsPerStream = 10

/** What it costs to decide and to store. */
export async function measureAppends(ground: Ground, told: (line: string) => void): Promise<Figure[]> {
  const { pool, another } = await ground.database('appends')
  await pool.query(rawTable)
  const store = new EventStore(pool)
  const commands = new Commands(store, now)
  const crowd = another(writers)
  const alone = another(1)

  const streams = Array.from({ length: writers }, () => ({ familyId: '', left: 0 }))
  const command = async (writer: number) => {
    const stream = streams[writer]
    if (stream === undefined) return
    if (stream.left === 0) Object.assign(stream, { familyId: timeOrderedId(), left: commandsPerStream })
    stream.left -= 1
    const { familyId } = stream
    await commands.run(family, familyId, { familyId, events: 1 }, { actor })
  }
  const concurrent = await sideBySide(
    told,
    'appends/s, 64 concurrent commands',
    () => rate(writers, 2, command),
    () => rate(writers, 2, () => crowd.query(rawInsert(store))),
  )

  const prepare = () => {
    const familyId = timeOrderedId()
    const events = store.prepare([issued(familyId)], { actor, time: now() })
    return { streamId: `family-${familyId}`, base: 0, events, state: family.initial, stateTag: 'bench' }
  }
  const idle = await sideBySide(
    told,
    'p50 of one append, ms',
    async () => median(await durations(1000, () => store.append(prepare()))),
    async () => median(await durations(1000, () => alone.query(rawInsert(store)))),
  )

  const [long, short] = [timeOrderedId(), timeOrderedId()]
  const refresh = (familyId: string, events = 1) =>
    commands.run(family, familyId, { familyId, events }, { actor })
  for (let n = 0; n < 100; n++) await refresh(long, 1000)
  await refresh(short, 10)
  const refreshed = await sideBySide(
    told,
    'p50 of one refresh, ms',
    async () => median(await durations(500, () => refresh(long))),
    async () => median(await durations(500, () => refresh(short))),
  )
  await store.close()

  return [
    figure(
      'Commands stored, 64 at a time, one connection writes',
      'events/s',
      { ...concurrent, peerName: 'one INSERT per event, 64 connections' },
      { atLeast: 2.5 },
    ),
    figure(
      'One append, nothing else going on, p50',
      'ms',
      { ...idle, peerName: 'one INSERT, one connection' },
      { atMost: 1.5 },
    ),
    figure(
      'Command on a stream of 100,000 events, p50',
      'ms',
      { ...refreshed, peerName: 'the same on a stream of 10 events' },
      { atMost: 1.1 },
    ),
  ]
}

/** The event's columns and a key: no stream, no state, no check of a version, no other index. */
const rawTable = `
  create table raw_events (
    position bigint generated always as identity primary key,
    stream_id text not null,
    stream_version integer not null,
    event_id uuid not null,
    type text not null,
    data json not null,
    internal json,
    actor_type text not null,
    actor_id text not null,
    traceparent text,
    time timestamptz(3) not null
  )`

function rawInsert(store: EventStore) {
  const familyId = timeOrderedId()
  const [event] = store.prepare([issued(familyId)], { actor, time: now() })
  return { name: 'raw-insert', text: rawStatement, values: event ? columns(`family-${familyId}`, event) : [] }
}

const rawStatement = `
  insert into raw_events (stream_id, stream_version, event_id, type, data, internal, actor_type, actor_id, traceparent, time)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

function columns(streamId: string, event: Append['events'][number]): unknown[] {
  const { id, type, data, internal, actor: by, traceparent, time } = event
  return [streamId, 1, id, type, data, internal, by.type, by.id, traceparent, time]
}
