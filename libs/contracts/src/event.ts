import { z } from 'zod'
import type { Topic } from './topics.js'

/** What a catalogue entry says of one event: where it goes, what it means, the shape of its facts, and one real example. */
export interface EventDefinition<Type extends string = string, Shape extends z.ZodObject = z.ZodObject> {
  readonly type: Type
  /** Major version: a change that is more than a new optional field gets the next number and an upcaster. */
  readonly version: number
  readonly topic: Topic
  /** The streams that it happens in, as templates over its facts: `grant-{grantId}`. With several, the first whose fields are not null, unless a field says otherwise. */
  readonly streams: readonly string[]
  /** One sentence: what has happened, in the past tense. */
  readonly summary: string
  readonly data: Shape
  readonly example: z.infer<Shape>
  /** The major versions before, oldest first. What was stored under them stays as it is, and is read as if it were of this one. */
  readonly earlier?: readonly EarlierVersion[]
}

/** A major version of an event that is no longer written, and how its facts become those of the next. */
export interface EarlierVersion<Shape extends z.ZodObject = z.ZodObject> {
  readonly version: number
  readonly data: Shape
  readonly example: z.infer<Shape>
  /** Pure: the same facts always become the same. */
  upcast(data: z.infer<Shape>): Readonly<Record<string, unknown>>
}

/** Declares one event. The name is `category.past-tense`; the topic decides who may read it. */
export function defineEvent<const Type extends string, Shape extends z.ZodObject>(
  definition: Omit<EventDefinition<Type, Shape>, 'version'> & { version?: number },
): EventDefinition<Type, Shape> {
  return { version: 1, ...definition }
}

/** Declares a version before. */
export function earlierVersion<Shape extends z.ZodObject>(version: EarlierVersion<Shape>): EarlierVersion {
  return version as unknown as EarlierVersion
}

/** Every version of an event, oldest first, each as the entry that it was. */
export function versionsOf(definition: EventDefinition): EventDefinition[] {
  const { earlier = [], ...current } = definition
  return [
    ...earlier.map(({ version, data, example }) => ({ ...current, version, data, example })),
    definition,
  ]
}

/** The event's name on the wire and in the store: `grant.approved.v1`. */
export function wireType(definition: EventDefinition): string {
  return `${definition.type}.v${definition.version}`
}

/** The stream that the facts belong to, which is also their Kafka key: `grant-0199aa00-…`. */
export function streamOf(definition: EventDefinition, data: Readonly<Record<string, unknown>>): string {
  for (const template of definition.streams) {
    const values = placeholders(template).map(path => valueAt(data, path))
    if (values.every(value => typeof value === 'string')) {
      return template.replace(/\{[^}]+\}/g, () => values.shift() ?? '')
    }
  }
  throw new TypeError(
    `The facts of ${definition.type} name none of its streams: ${definition.streams.join(', ')}`,
  )
}

function placeholders(template: string): string[] {
  return [...template.matchAll(/\{([^}]+)\}/g)].map(([, path]) => path ?? '')
}

function valueAt(data: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      data,
    )
}
