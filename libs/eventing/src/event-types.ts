import { catalogue, type Topic, topics, versionsOf, wireType } from '@grantlog/contracts'
import type pg from 'pg'

const here: ReadonlyMap<string, Topic> = new Map(
  catalogue.flatMap(entry => versionsOf(entry).map(version => [wireType(version), entry.topic] as const)),
)

/** The kinds of events that this build knows, and that go to other topics than these. */
export function typesBeside(wanted: readonly Topic[]): string[] {
  return [...here].filter(([, topic]) => !wanted.includes(topic)).map(([type]) => type)
}

/** Notes where the events go that this build writes: a build that does not know them can publish them all the same. */
export async function registerEventTypes(db: pg.Pool | pg.ClientBase): Promise<void> {
  await db.query(
    `insert into event_types (type, topic) select * from unnest($1::text[], $2::text[]) on conflict (type) do nothing`,
    [[...here.keys()], [...here.values()]],
  )
}

/** The topic of every kind of event that this build knows, or that some build wrote to this log. */
export async function eventTopics(db: pg.Pool | pg.ClientBase): Promise<ReadonlyMap<string, Topic>> {
  const { rows } = await db.query<{ type: string; topic: string }>('select type, topic from event_types')
  const written = rows.filter((row): row is { type: string; topic: Topic } => row.topic in topics)
  return new Map([...written.map(({ type, topic }) => [type, topic] as const), ...here])
}

/** The topics of the events of one log, read again when one appears that nobody here knows. */
export class EventTopics {
  #known = here

  constructor(private readonly pool: pg.Pool) {}

  /** @throws Error for an event whose topic no build has told */
  async of(types: readonly string[]): Promise<(type: string) => Topic> {
    if (types.some(type => !this.#known.has(type))) this.#known = await eventTopics(this.pool)
    return type => topicOf(this.#known, type)
  }
}

/** @throws Error for an event whose topic no build has told */
export function topicOf(known: ReadonlyMap<string, Topic>, type: string): Topic {
  const topic = known.get(type)
  if (topic === undefined)
    throw new Error(`The log holds ${type}, and no build has told which topic it belongs to`)
  return topic
}
